"""A quantity of a study: its table, what it says in words, and how it is drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from consilience.notebook import shown_as
from consilience.tables import CATALOGUE, estimate
from consilience.tables.catalogue import PERCENT, POINTS
from consilience.tables.vega import SHARE, Axis, Chart, Estimates

VALUE = Axis(form="%", domain=SHARE)
FREE = replace(VALUE, domain=None)  # spans what there is
NAMES = Axis(column="name", names=True)
type Charts = Mapping[str, Callable[[], Chart]]


@shown_as("table", facts=("title", "finding", "note"))
@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A quantity of a study.

    Attributes
    ----------
    name : str
        Its name, as in the names of files: words joined by underscores.
    table : pandas.DataFrame
        Its numbers with intervals (lower, upper), the number of items that they are of
        and, where a published value is known, the columns published and source.
    finding : str
        What it says, one or two sentences with numbers and intervals.
    charts : mapping of str to callable
        Functions without arguments that return an Altair chart, by caption. Several are
        frames between which a reader chooses; the first is the one on paper.
    title, note : str
        What it shows; what is counted, of which items, and what to beware of.
    frames : str
        What the captions are values of; empty where there is one chart.
    size : float
        How much there is to find, from 0 (nothing: the sentence describes) to 1: the
        share, or the difference of shares, at the end of its interval, if it has one,
        that is nearest to none. The head of a report lists the findings that are larger
        than 0, the largest first.
    models : bool
        Whether its charts tell models by colour.

    See Also
    --------
    consilience.study : Collect the figures of a study.

    Examples
    --------
    >>> import consilience as cs
    >>> made = cs.simulate(kind="objects", items=16, classes=6, seed=0)
    >>> fit = cs.fit(made.responses, model="tsipras2020")
    >>> cs.study(fit, made.responses).figures["number_of_objects"].title
    'Number of objects of an item'
    """

    name: str
    table: pd.DataFrame
    finding: str
    charts: Charts
    facts: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    frames: str = field(default="", kw_only=True)
    size: float = field(default=0.0, kw_only=True)
    models: bool = field(default=False, kw_only=True)

    @property
    def title(self) -> str:
        """What it shows."""
        return CATALOGUE[self.name].title

    @property
    def note(self) -> str:
        """What is counted, of which items, and what to beware of."""
        return CATALOGUE[self.name].note.format_map(self.facts)


def chart(name: str, rows: pd.DataFrame, estimates: Estimates) -> Charts:
    """Return the chart of rows, if any; the catalogue has words for marks and axes."""
    if rows.empty:
        return {}
    stated = {column.name: column.words for column in CATALOGUE[name].columns}
    x, y = (
        replace(axis, title=stated.get(axis.column, ""))
        for axis in (estimates.x, estimates.y)
    )
    if y.names:
        y = estimates.y  # names along y need no title
    return {"": partial(replace(estimates, x=x, y=y).draw, marked(name, rows))}


def marked(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what their marks say, and those of published values."""
    rows = rows.assign(text=CATALOGUE[name].marks(rows))
    if "published" not in rows:
        return rows
    values = zip(rows["published"], rows["source"], strict=True)
    texts = [f"published: {value:.3g} ({source})" for value, source in values]
    return rows.assign(published_text=texts)


def where(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    """Return the rows that have these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def number_names(numbers: pd.Series) -> list[str]:
    """Return numbers as text, the largest as "6 or more"."""
    last = int(numbers.max())
    return [f"{k} or more" if k == last else str(k) for k in map(int, numbers)]


def count(number: int, one: str, several: str) -> str:
    """Return a number with the word for one or for several."""
    return f"{number:,} {one if number == 1 else several}"


def least(row: Any, value: str = "value") -> float:
    """Return the lower bound of a share, or the share where it has none."""
    return float(row[value] if pd.isna(row["lower"]) else row["lower"])


def apart(row: Any, other: Any = 0.0) -> float:
    """Return how far the interval of a row is from another row's, or from a number."""
    number = isinstance(other, float)
    low, high = (other, other) if number else (other["lower"], other["upper"])
    return float(np.nanmax([0.0, row["lower"] - high, low - row["upper"]]))


def share_of(row: Any, value: str = "value") -> str:
    """Return the share of a row with its bounds as text."""
    return str(estimate(row[value], row["lower"], row["upper"], PERCENT))


def points_of(row: Any) -> str:
    """Return the difference of shares of a row, in percentage points."""
    return str(estimate(row["value"], row["lower"], row["upper"], POINTS))
