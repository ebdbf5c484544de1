"""Tests of methods: `benchmark`, on data sets with gold, and `sbc`, by simulation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.table import Table
from rich.text import Text

from consilience.cli.options import (
    READ_AS_IT_IS,
    WORK_AS_USUAL,
    Engine,
    Flag,
    Json,
    Prob,
    Reading,
    Seed,
    Several,
    Work,
    numbers,
    read_options,
)
from consilience.cli.terminal import finish, screen
from consilience.errors import OptionError, as_options, not_among
from consilience.whole_folder import whole_files

if TYPE_CHECKING:
    from consilience.benchmark.comparison import Comparison
    from consilience.benchmark.datasets import Protocol
    from consilience.benchmark.runs import Step
    from consilience.cli.calibration_check import Finding
    from consilience.progress import Reporter


def benchmark(  # noqa: PLR0913 (each option stands alone)
    data: list[Path],
    /,
    *,
    out: Path = Path("benchmark"),
    models: Several = ("all",),
    engine: Engine = "auto",
    again: Flag = False,
    against: str | None = None,
    seed: Seed = 0,
    resamples: int = 1000,
    prob: Prob = 0.9,
    bins: int | None = None,
    json: Json = False,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Compare models on data sets with gold: accuracy, calibration, seconds.

    Each result is kept in the folder --out: a benchmark that was interrupted continues,
    and models can be added later. The tables show all results in the folder for these
    sets.

    Parameters
    ----------
    data
        Data sets, or folders of data sets. A set is a folder with labels.csv (task,
        worker, label) and truth.csv (task, label).
    out
        Folder for results.parquet, differences.parquet, runs.parquet, and what each run
        found (runs/).
    models
        Names of models, auto or smoothed_shares; all, the default, is every one of
        these.
    engine
        Engine of the models that have it; others take their first. auto is what
        `consilience fit` takes: never nuts, which takes minutes.
    again
        Run again also what the folder already holds.
    against
        Method with which the others are compared; by default auto.
    resamples
        Bootstrap resamples of the items.
    bins
        Largest number of bins of the calibration error; by default as many as the data
        allow.

    Examples
    --------
    consilience benchmark data --models majority dawid_skene auto --out benchmark
    """
    show = screen(as_json=json)
    from consilience.benchmark import datasets, runs
    from consilience.benchmark.comparison import compare, write_tables
    from consilience.benchmark.datasets import Protocol
    from consilience.benchmark.runs import Plan, other_stored_results, run_all
    from consilience.inference import check_seed

    protocol = Protocol(
        seed=seed, resamples=resamples, prob=prob, bins=bins, against=against
    )
    _check(protocol)
    check_seed(seed)
    names = [] if models == ("all",) else models
    chosen = runs.choose_methods(names, runs.library_methods(engine))
    sets = datasets.load_all(
        datasets.find(data),
        read_options(reading),
        reading.format,
        lambda sentence: show.say(f"left out: {sentence}"),
    )
    plan = Plan(folder=out / "runs", seed=seed, again=again)
    with _progress() as report:
        results = run_all(sets, chosen, plan, report)
    results += other_stored_results(sets, results, plan)
    comparison = compare({one.name: one.gold for one in sets}, results, protocol)
    files = write_tables(comparison, out)
    show.print(_means(comparison))
    for file in files:
        show.print(f"written: {file}", soft_wrap=True)
    result = {"out": out, **_result(comparison)}
    finish(show, result, "fit", "RESPONSES", "--model", "auto", "--out", "run")


def _check(protocol: "Protocol") -> None:
    """Refuse settings that cannot be used before any work is done."""
    msg = ""
    if protocol.resamples < 2:
        msg = f"--resamples {protocol.resamples}: give 2 or more"
    elif not 0 < protocol.prob < 1:
        msg = f"--prob {protocol.prob:g}: give a number between 0 and 1"
    elif protocol.bins is not None and protocol.bins < 1:
        msg = f"--bins {protocol.bins}: give 1 or more"
    if msg:
        raise OptionError(msg)


@contextmanager
def _progress() -> "Iterator[Callable[[Step], None]]":
    """Say on standard error what runs and how each run went."""
    show = screen(as_json=True)
    with ExitStack() as running:

        def report(step: "Step") -> None:
            running.close()
            place = f"[{step.number}/{step.total}] {step.data} {step.method}"
            if step.result is None:
                if show.is_terminal:
                    running.enter_context(show.status(place))
                return
            outcome = step.result.outcome
            how = f"{outcome['status']}, {as_options(outcome.get('reason', ''))}"
            if outcome["status"] == "done":
                how = f"{outcome['seconds']:.1f} s"
            kept = " (kept)" if step.kept else ""
            show.print(f"{place}: {how}{kept}", soft_wrap=True)

        yield report


def _means(comparison: "Comparison") -> Table:

    from consilience.benchmark.comparison import mean_table

    means = mean_table(comparison)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("method", no_wrap=True)
    for name in ("sets", *_SHOWN.values(), "seconds"):
        table.add_column(name, justify="right")
    for method, row in means.iterrows():
        cells = [_figure(row[name], 4) for name in _SHOWN]
        seconds = _figure(row["seconds"], 1)
        style = "bold" if method == comparison.reference else ""
        table.add_row(Text(str(method), style), str(row["sets"]), *cells, seconds)
    return table


_SHOWN = {
    "accuracy": "accuracy",
    "log_loss": "log-loss",
    "brier": "brier",
    "ece": "ECE",
}


def _figure(value: float, digits: int) -> str:
    return "" if value != value else f"{value:,.{digits}f}"  # noqa: PLR0124 (NaN)


def _result(comparison: "Comparison") -> dict[str, Any]:
    from consilience.benchmark.comparison import MEAN, mean_table

    means, gaps = mean_table(comparison), comparison.differences
    failed = comparison.runs[comparison.runs["status"] != "done"]
    failed = failed.assign(reason=failed["reason"].map(as_options))
    return {
        "reference": comparison.reference,
        "means": means.drop(columns="part").reset_index(),
        "differences": gaps[gaps["set"] == MEAN],
        "failures": failed[["set", "method", "status", "reason"]],
    }


# Harder work than a single fit's default gains little on studies this small.
_USUAL: Mapping[str, Mapping[str, int]] = {
    "nuts": {"tune": 500, "draws": 500, "chains": 1}
}


def sbc(  # noqa: PLR0913 (each option stands alone)
    *,
    out: Path | None = None,
    models: Several = ("all",),
    engines: Several = ("all",),
    kind: Literal["choice", "contains"] = "choice",
    items: int = 50,
    annotators: int = 8,
    per_item: int = 5,
    classes: int = 3,
    simulations: int = 100,
    prior: Several = (),
    seed: Seed = 0,
    overwrite: Flag = False,
    json: Json = False,
    work: Work = WORK_AS_USUAL,
) -> None:
    """Check by simulation whether posteriors are calibrated.

    Studies are drawn from each model's own prior and fitted: 90 % of the 90 % intervals
    should cover the true parameter, and labels with a probability of 80 % should be
    true in 80 % of cases. The table says for every model and engine how far that is so.
    With --out results are kept, and after an interruption the same command continues.

    Parameters
    ----------
    out
        Folder to write: the tables of parameters and labels, and all ranks.
    models
        Names of models; by default all.
    engines
        Any of gibbs, nuts, vb, em, svi; by default all. A model is fitted by those that
        it has.
    kind
        Kind of question.
    items
        Items of each study.
    annotators
        Annotators of each study.
    per_item
        Answers per item, each by another annotator.
    classes
        How many labels.
    simulations
        Studies for each model and engine.
    prior
        A setting of the priors, such as own=8, for every model that has it; or
        MODEL.own=8 for one. Studies are drawn and fitted with it alike.
    overwrite
        Replace the results of other settings in the folder, once the new ones are
        complete.

    Examples
    --------
    consilience sbc --models dawid_skene --engines em --simulations 50 --out sbc
    """
    if work.prob != WORK_AS_USUAL.prob:
        raise OptionError(
            f"--prob {work.prob:g}: intervals of 50 % and 90 % are judged; leave it out"
        )
    from consilience import annotators as room
    from consilience.cli.calibration_check import notes, open_folder, page, tables
    from consilience.inference import engines as available

    changed = numbers(prior, "prior")
    plan = _plan(
        room.names() if models == ("all",) else dict.fromkeys(map(room.find, models)),
        _named(engines, available.names()),
        changed,
    )
    if simulations < 2:
        raise OptionError(
            f"simulations is {simulations}; give two or more; a hundred are informative"
        )
    settings = {
        "kind": kind,
        "items": items,
        "annotators": annotators,
        "per_item": per_item,
        "classes": classes,
        "simulations": simulations,
        "prior": changed,
        "seed": seed,
        "work": {name: value for name, value in asdict(work).items() if value},
        "version": version("consilience"),
    }
    with open_folder(out, settings, overwrite=overwrite) as place:
        findings, left_out = _run_plan(plan, settings, work, place)
        remarks = notes(findings, left_out, settings)
        verdicts = tables(findings)
        if place is not None:
            with whole_files(place) as partial:
                for name, table in verdicts.items():
                    table.to_parquet(partial / f"{name}.parquet", index=False)
    show = screen(as_json=json)
    show.print(page(findings))
    for note in remarks:
        show.print(f"- {note}")
    result = {"out": out, "settings": settings, **verdicts, "left_out": left_out}
    following = ("fit", "RESPONSES", "--model", plan[0][0], "--out", "run")
    finish(show, result, *following, written=out)


def _plan(
    models: Iterable[str], engines: Sequence[str], prior: Mapping[str, float]
) -> list[tuple[str, str, Any]]:
    """Return each model with each engine asked for that it has, its prior as asked."""
    from consilience.annotators import load

    used, plan = set(), []
    for name in models:
        settings = {}
        for setting, value in prior.items():
            model, _, inner = setting.rpartition(".")
            has = inner in asdict(load(name).prior)
            if model == name or (not model and has):
                settings[inner] = value
                used.add(setting)
        made = load(name, settings)
        plan += [(name, engine, made) for engine in engines if engine in made.engines]
    idle = ", ".join(setting for setting in prior if setting not in used)
    if idle:
        raise OptionError(
            f"--prior {idle}: none of the models chosen has it; correct the name"
        )
    if not plan:
        raise OptionError(
            f"none of the models chosen is fitted by {', '.join(engines)}; "
            "consilience models lists what each has"
        )
    return plan


def _run_plan(
    plan: Sequence[tuple[str, str, Any]],
    settings: Mapping[str, Any],
    work: Work,
    out: Path | None,
) -> tuple[list["Finding"], dict[str, str]]:
    """Draw, fit and judge; return the findings, and why models are left out."""
    from consilience.checks.simulation_based_calibration import (
        cannot_simulate,
        simulated_fits,
    )
    from consilience.cli.calibration_check import assess, load_study, save_study
    from consilience.programs import double_precision
    from consilience.progress import bar
    from consilience.simulation import simulate
    from consilience.spaces import space_of

    names = ("kind", "items", "annotators", "classes", "per_item", "seed")
    asked = {name: value for name, value in asdict(work).items() if value is not None}
    findings, left_out = [], {}
    with double_precision(), bar() as report:
        made = simulate(**{name: settings[name] for name in names})
        space = space_of(made.responses)
        models = {name: model for name, _, model in plan}
        reasons = {name: cannot_simulate(each, space) for name, each in models.items()}
        for name, engine, model in plan:
            reason = reasons[name]
            if reason is not None:
                left_out[name] = as_options(reason)
                continue
            folder = None if out is None else out / "fits" / f"{name}-{engine}"
            study = load_study(folder)
            if study is None:
                study = simulated_fits(
                    model,
                    space,
                    engine,
                    simulations=settings["simulations"],
                    seed_of_all=settings["seed"],
                    effort=replace(work, **{**_USUAL.get(engine, {}), **asked}),
                    report=_under_name(report, f"{name} {engine}"),
                )
                save_study(folder, study)
            findings.append(assess(name, engine, study))
    return findings, left_out


def _under_name(report: "Reporter", phase: str) -> "Reporter":
    return lambda progress: report(replace(progress, phase=phase))


def _named(given: Sequence[str], available: Sequence[str]) -> Sequence[str]:
    """Return engines, each of them known; `all` alone is all of them."""
    if given == ("all",):
        return available
    strange = next((name for name in given if name not in available), None)
    if strange is not None:
        raise OptionError(
            f"--engines: {not_among('engine', strange, available)}, or all"
        )
    return list(dict.fromkeys(given))
