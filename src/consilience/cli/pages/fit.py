"""A fit on one screen: certainty of the items, skill of annotators, diagnostics."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consilience.cli.pages.drawn import (
    BAD,
    GOOD,
    WARNING,
    DrawnTable,
    bar,
    drawn_table,
    interval,
)
from consilience.errors import as_options
from consilience.posterior import Fit
from consilience.posterior.results.diagnostics import FAILED, PASSED, tally

# A confusion of more labels than this is wider than a terminal.
_MAX_LABELS = 8


def fit_page(fitted: Fit) -> Group:
    """Return the page: engine, items, annotators, what was known, checks."""
    attributes = fitted.data.attrs
    engine = f"{attributes['model']} by {attributes['engine']}"
    head = Text.assemble(
        (engine, "bold"),
        f": {as_options(attributes['engine_reason'])}; {attributes['seconds']} s",
    )
    assumed = [
        Text(f"assumed: {as_options(sentence)}")
        for sentence in json.loads(attributes["assumptions"])
    ]
    parts: list[RenderableType] = [Text(), head, *assumed]
    compared = fitted.comparison()
    if len(compared):
        parts += [Text(), comparison_table(compared)]
    parts += [Text(), certainty(fitted)]
    if attributes["kind"] == "objects":
        parts += [Text(), object_table(fitted.items()["objects"])]
    everyone = fitted.annotators()
    people = everyone.dropna(subset="accuracy")
    if len(people):
        parts += [Text(), annotator_table(best_and_worst(people, 4))]
    groups = fitted.annotator_groups()
    if len(groups):
        parts += [Text(), group_table(groups)]
    if "single_label" in everyone and len(everyone):
        shown = best_and_worst(everyone, 4, by="single_label")
        parts += [Text(), style_table(shown)]
    parts += people_in_general(fitted)
    parts += covariate_effects(fitted)
    population = fitted.confusion()
    population = population[population["annotator"].isna()]
    if 0 < population["true_label"].nunique() <= _MAX_LABELS:
        parts += [Text(), confusion_table(population, "the population")]
    return Group(*parts, Text(), *verdicts(fitted.diagnostics()), Text())


def certainty(fitted: Fit) -> DrawnTable:
    """Return how many items (contains: questions) are how certain."""
    if fitted.data.attrs["kind"] == "contains":
        what, present = "questions", fitted.labels()["probability"].to_numpy()
        sure, tied = np.maximum(present, 1 - present), int((present == 0.5).sum())
    else:
        items = fitted.items()
        what, sure = "items", items["probability"].to_numpy()
        tied = int(items["tied"].sum())
    table = drawn_table(f"{len(sure):,} {what}", "P(best answer)")
    bands = ((0.99, np.inf), (0.9, 0.99), (0.7, 0.9), (0.0, 0.7))
    for low, high in bands:
        count = int(((sure >= low) & (sure < high)).sum())
        name = f"{low:.2f} or more" if high > 1 else f"{low:.2f} to {high:.2f}"
        table.add_row(f"{count:,}", name, line=bar(count / max(len(sure), 1)))
    if tied:
        table.add_row(
            f"{tied:,}",
            "tied: no answer leads",
            line=lambda _: Text("ambiguous", WARNING),
        )
    return table


def object_table(objects: pd.Series) -> DrawnTable:
    """Return how many items hold how many objects."""
    table = drawn_table("items", "objects")
    for number, items in objects.value_counts().sort_index().items():
        table.add_row(f"{items:,}", str(number), line=bar(items / len(objects)))
    return table


def comparison_table(compared: pd.DataFrame) -> DrawnTable:
    """Return the models that were compared, the best first."""
    table = drawn_table("model", "nats/answer", "to the best", "share")
    for row in compared.to_dict("records"):
        lacks = f"{row['difference']:.4f} ± {row['difference_se']:.4f}"
        table.add_row(
            Text(row["model"]),
            f"{row['elpd']:.4f}",
            "best" if row["difference"] == 0 else lacks,
            f"{row['weight']:.2f}",
            line=bar(row["weight"]),
        )
    return table


def best_and_worst(
    people: pd.DataFrame, number: int, *, by: str = "accuracy"
) -> pd.DataFrame:
    """Return the most and the least accurate annotators, the best first."""
    order = people.sort_values(by, ascending=False, kind="stable")
    if len(order) <= 2 * number:
        return order
    return pd.concat([order.head(number), order.tail(number)])


def annotator_table(
    people: pd.DataFrame, truth: Sequence[float] | None = None
) -> DrawnTable:
    """Return annotators with their accuracy and its interval drawn to scale.

    Parameters
    ----------
    people
        Rows of the table `annotators`.
    truth
        True accuracy of each, where it is known: drawn as a diamond.
    """
    contains = "sensitivity" in people
    names = ["annotator", "answers", "accuracy", *(("sens.", "spec.") * contains)]
    table = drawn_table(*names, scale=True)
    true_values = [None] * len(people) if truth is None else truth
    for row, true in zip(people.to_dict("records"), true_values, strict=True):
        cells = [str(row["annotator"]), f"{row['responses']:,}"]
        shown = ("accuracy", *(("sensitivity", "specificity") * contains))
        cells += [f"{row[name]:.3f}" for name in shown]
        line = interval(row["accuracy"], row["lower"], row["upper"], true)
        table.add_row(*map(Text, cells), line=line)
    return table


def group_table(groups: pd.DataFrame) -> DrawnTable:
    """Return groups of annotators with their mean accuracy drawn to scale."""
    names = ("group", "annotators", "answers", "accuracy")
    table = drawn_table(*names, scale=True)
    for row in groups.to_dict("records"):
        cells = (str(row["group"]), f"{row['annotators']:,}", f"{row['responses']:,}")
        line = interval(row["accuracy"], row["lower"], row["upper"])
        table.add_row(*map(Text, cells), f"{row['accuracy']:.3f}", line=line)
    return table


def style_table(people: pd.DataFrame) -> DrawnTable:
    """Return the rate of single-label responses of annotators, and their recall."""
    names = ("annotator", "answers", "recall", "single-label")
    table = drawn_table(*names, scale=True)
    for row in people.to_dict("records"):
        cells = [str(row["annotator"]), f"{row['responses']:,}"]
        cells += [f"{row[name]:.3f}" for name in ("recall", "single_label")]
        bounds = row["single_label_lower"], row["single_label_upper"]
        table.add_row(*map(Text, cells), line=interval(row["single_label"], *bounds))
    return table


def people_in_general(fitted: Fit) -> list[RenderableType]:
    """Return how people in general answer who name objects."""
    styles = fitted.styles()
    if styles.empty:
        return []
    table = drawn_table("people", "share", scale=True)
    for row in styles.to_dict("records"):
        line = interval(row["share"], row["lower"], row["upper"])
        table.add_row(_STYLES[row["style"]], f"{row['share']:.3f}", line=line)
    return [Text(), table]


_STYLES = {
    "single_label": "name the main object alone",
    "recall": "listing, see an object that is not the main one",
    "rival_name": "listing, give a rival name of an object",
    "synonym": "listing, give a synonym of a name",
}


def covariate_effects(fitted: Fit) -> list[RenderableType]:
    """Return the weights of the prior covariates, and their information."""
    weights, information = fitted.covariate_effects(), fitted.relative_information()
    if weights.empty:
        return []
    table = Table("column", "weight", "interval", "slope", box=None)
    for row in weights.to_dict("records"):
        cells = (f"{row['weight']:.2f}", _between(row), f"{row['slope']:.3g}")
        table.add_row(Text(row["column"]), *cells)
    sentence = "weights of the prior covariates"
    if len(information):
        row = information.to_dict("records")[0]
        between = _between(row)
        sentence += f"; together as informative as {row['relative_information']:.2f}"
        sentence += f" ({between})" if between else ""
        sentence += " answers of one annotator"
    return [Text(), Text(sentence), table]


def _between(row: Mapping[Any, Any]) -> str:
    if not np.isfinite(row["lower"]):
        return ""
    return f"{row['lower']:.2f} to {row['upper']:.2f}"


def confusion_table(cells: pd.DataFrame, whose: str) -> Table:
    """Return P(answer | truth) as a coloured square.

    Parameters
    ----------
    cells
        Rows of the table `confusion` of one annotator, or of the population.
    whose
        Whose they are, for the head.
    """
    square = cells.pivot_table(
        index="true_label", columns="given_label", values="probability", observed=True
    )
    table = Table(f"P(answer | truth), {whose}", box=None, padding=(0, 1))
    for name in square.columns:
        table.add_column(Text(str(name)), justify="right")
    for name, row in zip(square.index, square.to_numpy(), strict=True):
        shades = [Text(f"{p:.2f}", style=_shade(p)) for p in row]
        table.add_row(Text(str(name)), *shades)
    return table


def verdicts(checks: pd.DataFrame) -> list[RenderableType]:
    """Return what the checks say: one line when all is well, else what to do."""
    if checks.empty:
        return [Text("checks: a heuristic has none")]
    failed = checks["outcome"] == FAILED
    broken = failed & (checks["name"] != "independence")
    if broken.any():
        head = f"DO NOT TRUST THIS FIT YET: checks: {tally(checks)}"
        table = Table("check", "found", "limit", "how to fix it", box=None)
        for row in checks[broken].to_dict("records"):
            table.add_row(
                Text(row["name"]),
                f"{row['value']:.4g}",
                f"{row['limit']:.4g}",
                as_options(row["remedy"]),
            )
        return [Text(head, style=f"bold {BAD}"), table]
    rest = checks[checks["outcome"] != PASSED]
    style = WARNING if len(rest) else GOOD
    lines = [f"checks: {tally(checks)}"]
    lines += [
        f"{row['name']}: {as_options(row['remedy'])}" for row in rest.to_dict("records")
    ]
    return [Text(line, style=style) for line in lines]


def side_by_side(*parts: RenderableType) -> Columns:
    """Return parts side by side where the terminal is wide enough."""
    return Columns(parts, padding=(0, 4))


def _shade(probability: float) -> str:
    steps = ("dim", "", WARNING, f"bold {GOOD}")
    return steps[int(np.searchsorted((0.05, 0.15, 0.5), probability))]
