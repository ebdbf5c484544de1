"""A quantity of a study: its table, what it says in words, and how it is drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import pandas as pd

from consilience.notebook import shown_as


@shown_as("table", facts=("title", "finding", "note"))
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Figure:
    """A quantity of a study.

    Attributes
    ----------
    name : str
        Its name, as in the names of files: words joined by underscores.
    title : str
        What it shows.
    finding : str
        What it says, one or two sentences with numbers and intervals.
    note : str
        What is counted, of which items, and what to beware of.
    table : pandas.DataFrame
        Its numbers with intervals (lower, upper), the number of items that they are of
        and, where a published value is known, the columns published and source.
    charts : mapping of str to callable
        Functions without arguments that return an Altair chart, by caption. Several are
        frames between which a reader chooses; the first is the one on paper.
    frames : str
        What the captions are values of; empty where there is one chart.
    leads : bool
        Whether its finding stands at the head of a report.
    models : bool
        Whether its charts tell models by colour.

    See Also
    --------
    consilience.study : Collect the figures of a study.

    Examples
    --------
    >>> import consilience as cs
    >>> made = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> fit = cs.fit(made.responses, model="tsipras2020")
    >>> cs.study(fit, made.responses).figures["number_of_objects"].title
    'Number of objects of an item'
    """

    name: str
    title: str
    finding: str
    note: str
    table: pd.DataFrame
    charts: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    frames: str = ""
    leads: bool = False
    models: bool = False


def number_names(numbers: pd.Series) -> list[str]:
    """Return numbers as text, the largest as "6 or more"."""
    last = int(numbers.max())
    return [f"{k} or more" if k == last else str(k) for k in map(int, numbers)]


def percent(value: float, lower: float, upper: float) -> str:
    """Return a share with its bounds as text."""
    if not isfinite(value):
        return "an unknown share"
    if not (isfinite(lower) and isfinite(upper)):
        return f"{100 * value:.1f} %"
    return f"{100 * value:.1f} % ({100 * lower:.1f} to {100 * upper:.1f})"


def points(value: float, lower: float, upper: float) -> str:
    """Return a difference of shares with its bounds, in percentage points."""
    # What rounds to zero has no sign.
    shown = [f"{round(100 * each, 1) + 0.0:.1f}" for each in (value, lower, upper)]
    return f"{shown[0]} points ({shown[1]} to {shown[2]})"


def share_of(row: Any) -> str:
    """Return the value of a row with its bounds as text."""
    return percent(row["value"], row["lower"], row["upper"])
