"""The commands `fit` and `predict`: read, fit, judge, write."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Literal

from consilience.cli.commands.models import entries
from consilience.cli.commands.responses import (
    print_account,
    print_warnings,
    with_options,
)
from consilience.cli.options import (
    READ_AS_IT_IS,
    WORK_AS_USUAL,
    Engine,
    Flag,
    Json,
    Overwrite,
    Reading,
    Seed,
    Several,
    Sources,
    Work,
    numbers,
    read_gold,
    read_responses,
)
from consilience.cli.outcome import (
    is_run,
    load_run,
    print_fitted,
    resumed,
    save,
    summary,
)
from consilience.cli.terminal import check_free, finish, judge, screen
from consilience.console import VERBOSITY, Console
from consilience.errors import UnfamiliarAnnotatorsWarning, as_options
from consilience.inference.options import check_fits

if TYPE_CHECKING:
    import pandas as pd

    from consilience.posterior import Fit
    from consilience.responses import Responses

_MARKER = "run.toml"
_LONG = 20.0  # seconds from which a person wants to know


def fit(  # noqa: PLR0913 (each option stands alone)
    responses: Sources,
    /,
    *,
    out: Path,
    model: str = "auto",
    engine: Engine = "auto",
    candidates: Path | None = None,
    similarity: Path | None = None,
    gold: Path | None = None,
    annotators: Path | None = None,
    annotator_prior: Path | None = None,
    contains: Path | None = None,
    states: Literal[2, 3] | None = None,
    ordered: Flag = False,
    copies: Literal["merge", "keep"] = "merge",
    prior: Several = (),
    seed: Seed = 0,
    max_seconds: float | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
    work: Work = WORK_AS_USUAL,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Fit a model to responses and write the run folder.

    A fit that fails its checks is written too; the command says which checks failed
    and what to do. A long fit saves its state in a folder beside the run: after it was
    stopped, the same command goes on from there, with the same result.

    Parameters
    ----------
    out
        Run folder to write.
    model
        Name of a model (see `consilience models`), or auto. Of yes, maybe and no
        (contains), the fit says what makes a label present; with --model contains
        --prior panel=6,maybe=1 it is that half of six new annotators would say at
        least maybe.
    engine
        How to fit; auto takes an engine that answers in seconds, never nuts.
    candidates
        Table of the labels that can be true of each item: item, label, and prior
        covariates: log_odds, or columns of numbers whose weights are learned.
    similarity
        Table of similarities of labels: label, other_label, value (`structured`,
        `contains`, models of objects); or a folder that `candidates` wrote: how much
        classifiers confuse them.
    gold
        Table of items whose truth is given to the fit: item, label, and answer
        (contains). It also says whom to believe about all other items. Columns
        probability, annotator (of several experts) and inclusion are used.
    annotators
        Table of the annotators: annotator, and group (such as experts and crowd), whose
        populations are learned apart and compared; or repeat_of, the annotator of whom
        this one is a sample, such as a language model.
    annotator_prior
        Table of what annotators answered earlier, the truth being known (choice):
        annotator, true_label, given_label and n; or annotator, right and n.
    contains
        Answers of kind contains about the same items, in any readable format; they are
        fitted together with responses of kind objects.
    states
        States of a label's presence (contains), the third *unclear*; by default as
        many as the model is meant for.
    ordered
        Labels are ordered, as ratings are (choice): `--labels` names them from the
        lowest to the highest, unless they are numbers or words of a known scale.
    copies
        Of answers that an annotator copied from another: merge leaves them out, so
        that the two count as one; keep counts them. Either way the fit names both.
    prior
        Settings of the model's prior, such as own=4.
    max_seconds
        Seconds after which the fit does as little more as it can do with, and ends; a
        check says what was cut short.

    Examples
    --------
    consilience fit responses --out run
    consilience fit responses --model dawid_skene --engine em --gold gold.csv --out
        run
    consilience fit responses --candidates candidates --out run
    consilience fit shards --out run
    """
    check_free(out, marker=_MARKER, overwrite=overwrite)
    settings = numbers(prior, "prior")
    how: dict[str, Any] = {"engine": engine, "seed": seed, "prior": settings}
    how |= {"effort": work, "max_seconds": max_seconds}
    how |= {"candidates": candidates, "annotators": annotators}
    if len(responses) == 1 and (responses[0] / "shards.toml").is_file():
        other = (similarity, annotator_prior, contains, states)
        from consilience.cli.commands.shards import fit_shards

        fit_shards(
            responses[0],
            out,
            how | {"model": model, "gold": gold},
            refused=ordered or any(each is not None for each in other),
            overwrite=overwrite,
            json=json,
        )
        return
    if model != "auto":  # a mistake is found before anything is read
        from consilience.annotators import find
        from consilience.annotators import load as load_model

        listed = {entry.name: entry.engines for entry in entries()}
        if model not in listed:  # a module may be in the folder that one works in
            sys.path.insert(0, "")
            model = find(model)
        if settings or model not in listed:
            load_model(model, settings)
        check_fits(model, engine, listed.get(model, (engine,)))
    show = screen(as_json=json)
    data, truth = _read(responses, reading, gold)
    if ordered:  # the account does not propose what was asked for
        from consilience.responses.assemble import ORDER_HINT

        notes = tuple(note.removesuffix(ORDER_HINT) for note in data.cleaning.notes)
        data = replace(data, cleaning=replace(data.cleaning, notes=notes))
    _print_read(show, data)
    from consilience import fitting

    if len(data.kinds) == 1:
        print_expected(show, data, model, engine, work)
    with resumed(out, show) as unfinished:
        fitted = fitting.fit(
            data,
            model=model,
            similarity=similarity,
            gold=truth,
            annotator_prior=annotator_prior,
            contains=contains,
            states=states,
            ordered=ordered,
            copies=copies,
            checkpoint=unfinished,
            progress=True,
            **how,
        )
    from consilience.posterior.annotators import skills

    save(fitted, out, overwrite=overwrite)
    rmtree(unfinished, ignore_errors=True)
    print_fitted(show, fitted)
    result = {"run": out, **_result(fitted, data)} if json else {}
    # Answers in canonical form are read as they are.
    canonical = len(responses) == 1 and (responses[0] / "responses.parquet").is_file()
    read = ("--responses", responses[0]) if canonical else ()
    page = out.parent / "report.html"
    named = len(skills(fitted.data)) > 0
    also: list[tuple[str | Path, ...]] = [("annotators", out, *read)] * named
    if "check" in fitted.tables:
        checked = ("--what", "check", "--out", out.parent / "check.csv")
        also.append(("export", out, *checked))
    finish(show, result, "report", out, *read, "--out", page, written=out, also=also)


def load_or_fit(sources: Sequence[Path], show: Console) -> "Fit":
    """Return a run; or what `fit` makes by default of answers that are no run."""
    first = sources[0]
    if len(sources) == 1 and (is_run(first) or not first.exists()):
        return load_run(first)
    from consilience import fitting

    data = read_responses(sources, READ_AS_IT_IS)
    _print_read(show, data)
    fitted = fitting.fit(data, progress=True)
    judge(fitted, first)
    return fitted


def _print_read(show: Console, data: "Responses") -> None:
    """Print how answers were read: the whole account with --verbose, else its head."""
    if VERBOSITY.get() == "all":
        print_account(show, data)
        return
    account = with_options(data).cleaning.account()
    more = len(account) - 1 + len(data.assumptions)
    notes = "1 note" if more == 1 else f"{more} notes"
    hint = f" ({notes} on the reading: -v)" if more else ""
    show.print(f"{account[0]}{hint}" if account else hint.strip())
    print_warnings(show, data)


def predict(  # noqa: PLR0913 (each option stands alone)
    run: Path,
    responses: Sources,
    /,
    *,
    out: Path,
    candidates: Path | None = None,
    similarity: Path | None = None,
    gold: Path | None = None,
    contains: Path | None = None,
    model: str | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Predict the truth of new items with the parameters of an earlier run.

    All parameters stay as that run estimated them. Annotators are matched by name; an
    unknown one is treated as an average annotator of that run. If all are unknown, a
    warning says so.

    Parameters
    ----------
    run
        Folder of the earlier run.
    out
        Run folder to write.
    candidates
        Table of candidates of the new items, as for `fit`.
    similarity
        Table of labels that are similar, as for `fit`.
    gold
        Table of new items whose truth is given.
    contains
        Answers of kind contains about the new items, as for `fit`.
    model
        Module of the model of your own that the run is of, as for `fit`.

    Examples
    --------
    consilience predict run new-responses --out predicted
    """
    check_free(out, marker=_MARKER, overwrite=overwrite)
    if model is not None:
        sys.path.insert(0, "")
    show = screen(as_json=json)
    data, truth = _read(responses, reading, gold)
    from consilience import fitting
    from consilience.posterior import load

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnfamiliarAnnotatorsWarning)  # printed below
        predicted = fitting.predict(
            load(run, model=model),
            data,
            candidates=candidates,
            similarity=similarity,
            gold=truth,
            contains=contains,
        )
    warning = as_options(predicted.data.attrs.get("warning", ""))
    if warning:
        show.print(f"WARNING: {warning}", style="bold color(160)", soft_wrap=True)
    _print_read(show, data)
    save(predicted, out, overwrite=overwrite)
    print_fitted(show, predicted)
    result = {"run": out, "warning": warning}
    if json:
        result |= _result(predicted, data)
    following = ("export", out, "--out", out.parent / "tables")
    finish(show, result, *following, written=out)


def _read(
    sources: Sequence[Path], reading: Reading, gold: Path | None
) -> "tuple[Responses, pd.DataFrame | None]":
    """Return responses, and the gold labels that are given to the fit."""
    data = read_responses(sources, reading, both=True)
    if gold is None:
        return data, None
    truth = read_gold(gold, data.table, reading)
    return replace(data, gold=truth), truth


def print_expected(
    show: Console, data: "Responses", model: str, engine: str, effort: Work
) -> None:
    """Say how long a fit will take that takes long."""
    from consilience.fitting.request import FACTOR, expected_seconds
    from consilience.progress import duration

    seconds = expected_seconds(data, model, engine, effort)
    if seconds is not None and seconds >= _LONG:
        between = duration(seconds / FACTOR), duration(seconds * FACTOR)
        show.print(
            f"the fit takes about {duration(seconds)} on two processor cores, perhaps "
            f"{between[0]} or {between[1]}: this is a rough estimate by its size"
        )


def _result(fitted: "Fit", data: "Responses") -> dict[str, Any]:
    return {**summary(fitted), "cleaning": with_options(data).cleaning}
