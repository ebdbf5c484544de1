"""Simulation-based calibration on the screen: a table for each model, and notes."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consilience.checks.simulated_fits import SimulatedFits
from consilience.checks.simulation_based_calibration import (
    LEVEL,
    POWER,
    TOO_FEW,
    judge_parameters,
    judge_truth,
)
from consilience.errors import as_options
from consilience.tables.terminal import WARNING

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


def assess(model: str, engine: str, study: SimulatedFits) -> Finding:
    """Judge the fits of one model by one engine."""
    verdicts = [pd.DataFrame(), pd.DataFrame()]
    if len(study.ranks):
        verdicts = [judge_parameters(study.ranks), judge_truth(study.items)]
    for table in verdicts:
        if len(table):
            table.insert(0, "model", model)
            table.insert(1, "engine", engine)
    return Finding(model, engine, study, *verdicts)


def tables(findings: Sequence[Finding]) -> dict[str, pd.DataFrame]:
    """Return all verdicts with their figures: of parameters, and of the truth."""
    return {
        "parameters": _joined([one.parameters for one in findings]),
        "truth": _joined([one.truth for one in findings]),
    }


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


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
