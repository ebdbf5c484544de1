"""Simulation-based calibration: its folder, and on the screen a table for each model.

From the folder an interrupted check continues:

- `sbc.toml`: the settings; a folder holds the results of one.
- `fits/MODEL-ENGINE/`: positions and tallies of all studies, whole or not at all.
- `parameters.parquet`, `truth.parquet`: the verdicts on all of them.
"""

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consilience.checks.simulation_based_calibration import (
    LEVEL,
    POWER,
    TOO_FEW,
    SimulatedFits,
    judge_parameters,
    judge_truth,
)
from consilience.cli.terminal import check_free
from consilience.errors import FolderExistsError, as_options
from consilience.tables.terminal import WARNING
from consilience.whole_folder import clean_path, whole_folder

MARKER = "sbc.toml"

QUANTITIES = (
    "prevalence",
    "population confusion",
    "annotators' confusion",
    "log-likelihood",
)
_SHORT = ("", "prevalence", "population", "annotators", "likelihood", "labels", "")
_WIDTHS = (4, 10, 10, 10, 10, 9, 14)
_GOOD = ("calibrated", TOO_FEW)
_WORTH_SAYING = 0.05  # share of studies that hold one label only


@dataclass(frozen=True, slots=True)
class Finding:
    """What the fits of one model by one engine gave, judged."""

    model: str
    engine: str
    study: SimulatedFits
    parameters: pd.DataFrame
    truth: pd.DataFrame


@contextmanager
def open_folder(
    out: Path | None, settings: Mapping[str, Any], *, overwrite: bool
) -> Iterator[Path | None]:
    """Make the folder, or see that it holds results of the same settings.

    Results of other settings are replaced, if they may be, once these are complete.
    """
    if out is None:
        yield None
        return
    text = tomli_w.dumps(settings)
    clean_path(out)
    if (out / MARKER).is_file():
        stored = tomllib.loads((out / MARKER).read_text(encoding="utf-8"))
        if stored == tomllib.loads(text):
            yield out
            return
        if not overwrite:
            apart = [name for name in settings if stored.get(name) != settings[name]]
            raise FolderExistsError(
                f"{out}: holds results with other settings ({', '.join(apart)}); "
                "choose another name for --out, or pass --overwrite to replace it"
            )
        with whole_folder(out, replaceable=MARKER) as partial:
            (partial / MARKER).write_text(text, encoding="utf-8")
            yield partial
        return
    check_free(out, marker=MARKER, overwrite=False)
    with whole_folder(out) as partial:
        (partial / MARKER).write_text(text, encoding="utf-8")
    yield out


def load_study(folder: Path | None) -> SimulatedFits | None:
    """Return what an earlier run gave for a model and an engine, or None."""
    if folder is None or not folder.is_dir():
        return None
    stored = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    return SimulatedFits(
        ranks=pd.read_parquet(folder / "ranks.parquet"),
        items=pd.read_parquet(folder / "items.parquet"),
        failed=tuple(stored.pop("failed")),
        **stored,
    )


def save_study(folder: Path | None, study: SimulatedFits) -> None:
    """Write what the fits of a model by an engine gave."""
    if folder is None:
        return
    names = ("failed", "one_state", "seconds")
    summary = tomli_w.dumps({name: getattr(study, name) for name in names})
    with whole_folder(folder) as partial:
        study.ranks.to_parquet(partial / "ranks.parquet", index=False)
        study.items.to_parquet(partial / "items.parquet", index=False)
        (partial / "study.toml").write_text(summary, encoding="utf-8")


def assess(model: str, engine: str, study: SimulatedFits) -> Finding:
    """Judge the fits of one model by one engine."""
    verdicts = [pd.DataFrame(), pd.DataFrame()]
    if len(study.ranks):
        verdicts = [judge_parameters(study.ranks), judge_truth(study.items)]
    for table in filter(len, verdicts):
        table.insert(0, "model", model)
        table.insert(1, "engine", engine)
    return Finding(model, engine, study, *verdicts)


def tables(findings: Sequence[Finding]) -> dict[str, pd.DataFrame]:
    """Return all verdicts with their figures: of parameters, and of the truth."""
    return {
        "parameters": _joined(one.parameters for one in findings),
        "truth": _joined(one.truth for one in findings),
    }


def _joined(verdicts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(), *verdicts], ignore_index=True)


def page(findings: Sequence[Finding]) -> Group:
    """Return the table for a terminal, model by model; what fails is named."""
    parts: list[RenderableType] = []
    for model, group in itertools.groupby(findings, key=lambda one: one.model):
        table = Table(*_SHORT, box=None, padding=(0, 1, 0, 0))
        for column, width in zip(table.columns, _WIDTHS, strict=True):
            column.min_width = width
        for one in group:
            cells = [
                (one.engine, True),
                *(_coverage(one.parameters, name) for name in QUANTITIES),
                *_labels(one.truth),
            ]
            table.add_row(
                *(Text(cell, "" if good else WARNING) for cell, good in cells)
            )
        parts += [Text(model, style="bold"), table, Text()]
    return Group(*parts)


def notes(
    findings: Sequence[Finding],
    left_out: Mapping[str, str],
    settings: Mapping[str, Any],
) -> list[str]:
    """Return what must be known to read the table."""
    number = sum(len(one.parameters) + bool(len(one.truth)) for one in findings)
    priors = [f"{name} = {value:g}" for name, value in settings["prior"].items()]
    one_by_one = " asked about one by one" if settings["kind"] == "contains" else ""
    sentences = [
        (
            f"{settings['simulations']} studies for each model and engine: "
            f"{settings['items']} items, {settings['per_item']} answers each, of "
            f"{settings['annotators']} annotators, {settings['classes']} labels"
            f"{one_by_one}; seed {settings['seed']}; "
            + (f"with {', '.join(priors)}." if priors else "priors as they are.")
        ),
        (
            "Parameters: percentage of the 90 % intervals that hold the true value; "
            "it should be 90. Labels: percentage of the most "
            "probable labels that should be true, by the posterior, and that are."
        ),
        (
            f"A verdict other than calibrated comes about with a chance of {LEVEL:.0%} "
            f"at most where all is well: of {number} verdicts, {number * LEVEL:.1f}."
        ),
    ]
    few = [
        int(table.loc[table["verdict"] == TOO_FEW, "needed"].max())
        for one in findings
        for table in (one.parameters, one.truth)
        if len(table) and (table["verdict"] == TOO_FEW).any()
    ]
    if few:
        sentences.append(
            f"Where a mark ? or {TOO_FEW!r} stands, nothing was found and little could "
            f"be: {max(few)} studies find intervals a third as wide as right with a "
            f"chance of {POWER:.0%} (--simulations)."
        )
    sentences += [
        f"{one.model} by {one.engine}: {len(one.study.failed)} fits failed and are "
        f"left out ({as_options(one.study.failed[0])})."
        for one in findings
        if one.study.failed
    ]
    alike = {one.model: one.study.one_state for one in findings}
    sentences += [
        f"{name}: in {share:.0%} of the studies all items have the same label, which "
        "says little of real ones; --prior draws and fits with another."
        for name, share in alike.items()
        if share > _WORTH_SAYING
    ]
    return [
        *sentences,
        *(f"{name} is left out: {why}." for name, why in left_out.items()),
    ]


def _coverage(parameters: pd.DataFrame, name: str) -> tuple[str, bool]:
    row = parameters[parameters["quantity"] == name] if len(parameters) else parameters
    if not len(row):
        return "", True
    one = row.iloc[0]
    if one["verdict"].startswith("a point"):
        return "a point", False
    share = f"{100 * one['coverage_90']:.0f}"
    if one["verdict"] == TOO_FEW:
        return f"{share} ?", True
    good = one["verdict"] in _GOOD
    return share if good else f"{share} {one['verdict'].removeprefix('too ')}", good


def _labels(truth: pd.DataFrame) -> list[tuple[str, bool]]:
    if not len(truth):
        return [("", True), ("no fit", False)]
    one = truth.iloc[0]
    shares = f"{100 * one['expected']:.1f} {100 * one['realised']:.1f}"
    return [(shares, True), (str(one["verdict"]), one["verdict"] in _GOOD)]
