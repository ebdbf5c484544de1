"""The command `benchmark`: models compared on data sets with gold labels."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from consilience.cli.options import (
    READ_AS_IT_IS,
    Engine,
    Flag,
    Json,
    Prob,
    Reading,
    Seed,
    Several,
    read_options,
)
from consilience.cli.terminal import finish, screen
from consilience.errors import OptionError, as_options

if TYPE_CHECKING:
    from consilience.benchmark.comparison import Comparison
    from consilience.benchmark.datasets import Protocol
    from consilience.benchmark.runs import Step


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
    from consilience.intervals import check_prob

    check_prob(protocol.prob)
    msg = ""
    if protocol.resamples < 2:
        msg = f"--resamples {protocol.resamples}: give 2 or more"
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
