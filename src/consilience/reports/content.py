"""What a section of the page is made of: facts, sentences, tables and charts.

Cells are text; markup is made of them by the template alone, which escapes it.

**The charts: drawn by Altair, turned to SVG without a browser.** Colours are the page's
own variables, so that a chart follows light and dark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal, SupportsFloat

import numpy as np
import pandas as pd

from consilience.figures.charts import ACCENT, INK, WARN, svg
from consilience.posterior import Fit
from consilience.posterior.results.frames import category, names
from consilience.responses import Responses, read

NOTHING = "\N{EN DASH}"
type Part = Table | Chart | Drawing | Models | Findings | Facts | Note | Listing
_BINS = 20
_MAX_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and its interval, in hundredths of the width they are drawn in."""

    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, what it is sorted by, what is drawn, where it leads to."""

    text: str
    order: float | str
    between: str = ""
    bar: Bar | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its cells, and whether they are numbers."""

    title: str
    cells: tuple[Cell, ...]
    numeric: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    caption: str
    columns: tuple[Column, ...]
    note: str = ""
    on_paper: bool = False

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """The cells row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as SVG, what it shows in words, and what stands below it."""

    svg: str
    label: str
    caption: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of a study."""

    id: str
    title: str
    finding: str
    note: str
    frames: tuple[tuple[str, str], ...]
    frames_of: str
    table: Table


@dataclass(frozen=True, slots=True)
class Models:
    """The legend of all drawings: models with their colours."""

    colours: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences that lead to drawings: the anchor of each, its title, the sentence."""

    entries: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; `sort` says how loud it is."""

    text: str
    sort: Literal["plain", "good", "bad", "mind"] = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences or names below each other."""

    title: str
    entries: tuple[str, ...]


def sort_of(part: Part) -> str:
    """Return the name of what a part is, as the template knows it."""
    return type(part).__name__.lower()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    parts: tuple[Part, ...]
    app: str = ""


def texts(title: str, values: Iterable[Any]) -> Column:
    """Return a column of text."""
    cells = [NOTHING if pd.isna(value) else str(value) for value in values]
    return Column(
        title, tuple(Cell(cell, cell.casefold()) for cell in cells), numeric=False
    )


def counts(title: str, values: Iterable[SupportsFloat]) -> Column:
    """Return a column of whole numbers."""
    return numbers(title, values, "{:,.0f}")


def numbers(
    title: str, values: Iterable[SupportsFloat], form: str = "{:.4g}"
) -> Column:
    """Return a column of numbers, each written by `form`."""
    floats = [float(value) for value in values]
    made = tuple(Cell(number(value, form), _order(value)) for value in floats)
    return Column(title, made, numeric=True)


def estimates(
    title: str,
    table: pd.DataFrame,
    names: tuple[str, str, str] = ("probability", "lower", "upper"),
    form: str = "{:.3f}",
) -> Column:
    """Return a column of values with their intervals, drawn on a common scale.

    The scale is from 0 to 1 where all lie there, else it spans what there is.
    """
    value, lower, upper = (
        list(table[name].astype(float)) if name in table else [nan] * len(table)
        for name in names
    )
    every = [x for part in (value, lower, upper) for x in part if isfinite(x)]
    low, high = min([0.0, *every]), max([1.0, *every])

    def place(x: float) -> float:
        return round(100 * (x - low) / (high - low), 1)

    cells = []
    for x, a, b in zip(value, lower, upper, strict=True):
        if not isfinite(x):
            cells.append(Cell(NOTHING, float("-inf")))
            continue
        bounded = isfinite(a) and isfinite(b)
        between = f"{form.format(a)} to {form.format(b)}" if bounded else ""
        bar = Bar(
            place(x), place(a) if bounded else None, place(b) if bounded else None
        )
        cells.append(Cell(form.format(x), x, between, bar))
    return Column(title, tuple(cells), numeric=True)


def interval_note(columns: Iterable[Column], prob: float) -> str:
    """Say what the intervals in some columns hold, or that there are none."""
    if any(cell.between for column in columns for cell in column.cells):
        return f"{prob:.0%} intervals."
    return "A point, without intervals."


def number(value: float, form: str = "{:.4g}") -> str:
    """Return a number as text; a dash where it is not defined."""
    return form.format(value) if isfinite(value) else NOTHING


def _order(value: float) -> float:
    return value if isfinite(value) else float("-inf")


def certainty(probability: Sequence[float]) -> str:
    """Draw how many items are how certain."""
    import altair as alt  # noqa: PLC0415 (an extra)

    values = np.asarray(probability, float)
    count, edges = np.histogram(values[np.isfinite(values)], _BINS, (0, 1))
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "items": count})
    chart = alt.Chart(table).mark_bar(color=ACCENT, binSpacing=1)
    return _svg(
        chart.encode(
            x=alt.X("low:Q", bin="binned", title="probability of the best label"),
            x2="high:Q",
            y=alt.Y("items:Q", title="items"),
        ),
        340,
        150,
    )


def skill(people: pd.DataFrame) -> str:
    """Draw the accuracy of annotators against how much they answered."""
    import altair as alt  # noqa: PLC0415 (an extra)

    rows = people[["responses", "accuracy", "lower", "upper"]]
    rows = rows.dropna(subset="accuracy").head(_MAX_PEOPLE)
    scale = alt.Scale(
        type="log" if _needs_log_scale(rows["responses"]) else "linear", zero=False
    )
    x = alt.X("responses:Q", title="answers given", scale=scale)
    whole = alt.Scale(domain=[0, 1])
    points = alt.Chart(rows).mark_point(color=ACCENT, fill=ACCENT, size=22)
    y = alt.Y("accuracy:Q", scale=whole, title="accuracy")
    drawn: Any = points.encode(x=x, y=y)
    bounded = rows.dropna()
    if len(bounded):
        rules = alt.Chart(bounded).mark_rule(color=ACCENT, opacity=0.5, strokeWidth=1.5)
        lower = alt.Y("lower:Q", scale=whole, title="accuracy")
        drawn = rules.encode(x=x, y=lower, y2="upper:Q") + drawn
    return _svg(drawn, 480, 220)


def observed_by_replicated(rows: pd.DataFrame) -> str:
    """Draw observed shares against those of replicated answers."""
    import altair as alt  # noqa: PLC0415 (an extra)

    whole = alt.Scale(domain=[0, 1])
    line = alt.Chart(pd.DataFrame({"replicated": [0, 1], "observed": [0, 1]}))
    table = rows[["replicated", "observed", "misfit"]]
    outside = ~rows["observed"].between(rows["lower"], rows["upper"])
    points = alt.Chart(table.assign(outside=outside).tail(_MAX_PEOPLE))
    clear = alt.Scale(domain=[False, True], range=[0.25, 0.9])
    x = alt.X("replicated:Q", scale=whole, title="replicated")
    y = alt.Y("observed:Q", scale=whole, title="observed")
    drawn = line.mark_line(color=INK, strokeWidth=1, opacity=0.6).encode(x=x, y=y)
    drawn += points.mark_point(filled=True, size=24).encode(
        x=x,
        y=y,
        color=_misfit(alt),
        opacity=alt.Opacity("outside:N", scale=clear, legend=None),
    )
    return _svg(drawn, 210, 210)


def observed_in_intervals(rows: pd.DataFrame, title: str, names: str | None) -> str:
    """Draw observed shares over the intervals of those of replicated answers."""
    import altair as alt  # noqa: PLC0415 (an extra)

    table = rows[["name", "observed", "lower", "upper", "misfit"]]
    largest = table[["observed", "upper"]].to_numpy(dtype=float).max()
    scale = alt.Scale(domain=[0, float(np.ceil(10 * largest) / 10)])
    y = alt.Y("name:N", sort=None, title=names, axis=alt.Axis(grid=True))
    base = alt.Chart(table)
    drawn = base.mark_rule(color=ACCENT, opacity=0.4, strokeWidth=7).encode(
        x=alt.X("lower:Q", scale=scale, title=title), x2="upper:Q", y=y
    )
    drawn += base.mark_point(filled=True, size=42, opacity=1).encode(
        x=alt.X("observed:Q", scale=scale, title=title), y=y, color=_misfit(alt)
    )
    # Names may be wider in the font of the page than in that of the chart.
    margin = {"left": 16, "right": 8, "top": 4, "bottom": 4}
    return _svg(drawn.properties(padding=margin), 220, 22 * len(table))


def _misfit(alt: Any) -> Any:
    """Colour what the model does not reproduce."""
    scale = alt.Scale(domain=[False, True], range=[INK, WARN])
    return alt.Color("misfit:N", scale=scale, legend=None)


def _needs_log_scale(values: pd.Series) -> bool:
    return bool(len(values) and values.min() > 0 and values.max() > 20 * values.min())


def _svg(chart: Any, width: int, height: int) -> str:
    # A chart is described as a whole, by its caption.
    return svg(chart.properties(width=width, height=height), described=False)


def kept_answers(fit: Fit) -> pd.DataFrame | None:
    """Return the answers that a fit of choice or contains keeps."""
    data = fit.data
    kind = data.attrs["kind"]
    if "observed_data" not in data.children or kind not in ("choice", "contains"):
        return None
    observed, constant = data["observed_data"], data["constant_data"]
    unit = observed["item"].to_numpy()
    who = observed["annotator"].to_numpy()
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    given = category(observed["answer"].to_numpy(), names(data, "given_class"))
    label, answer = given, category(np.full(len(unit), -1), pd.Index([]))
    if kind == "contains":
        label, answer = _texts(constant["unit_label"].to_numpy(), unit), given
    return pd.DataFrame(
        {
            "item": _texts(constant["unit_item"].to_numpy(), unit),
            "annotator": category(
                np.where(identified[who], who, -1), names(data, "annotator")
            ),
            "label": label,
            "answer": answer,
            "n": observed["n"].to_numpy(),
        }
    )


def read_answers(responses: Responses) -> pd.DataFrame:
    """Return the answers as they were read, skipped questions left out."""
    table = responses.table
    given = table["answer" if responses.kind == "contains" else "label"].notna()
    table = table[given].reset_index(drop=True)
    columns = ["item", "annotator", "label", "answer", "n"]
    if responses.kind != "objects":
        return table[columns].copy()
    keys = ["item", "annotator", "response_id"]
    together = table.groupby(keys, observed=True, dropna=False, sort=False)
    return table[columns].assign(
        main=table["main"].astype("boolean").fillna(value=False).astype(bool),
        response=together.ngroup(),
    )


def as_responses(answers: pd.DataFrame, kind: str, labels: list[str]) -> Responses:
    """Make responses of a fit's answers, so that they can be described."""
    frame = answers.dropna(axis="columns", how="all")
    frame = frame.astype({name: "str" for name in frame if name != "n"})
    options = {"labels": labels} if labels else {}
    return read(frame, kind=kind, missing=(), **options)  # type: ignore[arg-type]


def _texts(names_of_units: np.ndarray, rows: np.ndarray) -> pd.Categorical:
    codes, levels = pd.factorize(names_of_units.astype(object))
    return category(codes[rows], levels)
