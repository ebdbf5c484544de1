"""A quantity of a study: its table, what it says in words, and how it is drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from consilience.notebook import shown_as
from consilience.tables import CATALOGUE, estimate
from consilience.tables.schema import PERCENT, POINTS
from consilience.tables.vega import SHARE, Axis

_NOTHING: Mapping[str, Any] = MappingProxyType({})


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


def figure(
    name: str,
    table: pd.DataFrame,
    finding: str,
    charts: Mapping[str, Callable[[], Any]],
    *,
    facts: Mapping[str, Any] = _NOTHING,
    frames: str = "",
    leads: bool = False,
    models: bool = False,
) -> Figure:
    """Return a figure of the catalogue, whose note states facts."""
    schema = CATALOGUE[name]
    return Figure(
        name=name,
        title=schema.title,
        finding=finding,
        note=schema.note.format_map(facts),
        table=table,
        charts=charts,
        frames=frames,
        leads=leads,
        models=models,
    )


def marked(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what their marks say, and those of published values."""
    rows = rows.assign(text=CATALOGUE[name].marks(rows))
    if "published" not in rows:
        return rows
    values = zip(rows["published"], rows["source"], strict=True)
    texts = [f"published: {value:.3g} ({source})" for value, source in values]
    return rows.assign(published_text=texts)


def axis(
    name: str, column: str = "value", domain: tuple[float, float] | None = SHARE
) -> Axis:
    """Return the axis of a share of a figure."""
    title = CATALOGUE[name].column(column).words
    return Axis(column=column, title=title, domain=domain, form="%")


def number_names(numbers: pd.Series) -> list[str]:
    """Return numbers as text, the largest as "6 or more"."""
    last = int(numbers.max())
    return [f"{k} or more" if k == last else str(k) for k in map(int, numbers)]


def share_of(row: Any, value: str = "value") -> str:
    """Return the share of a row with its bounds as text."""
    return str(estimate(row[value], row["lower"], row["upper"], PERCENT))


def points_of(row: Any) -> str:
    """Return the difference of shares of a row, in percentage points."""
    return str(estimate(row["value"], row["lower"], row["upper"], POINTS))
