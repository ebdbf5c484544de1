"""Charts of values with their intervals, each of one table.

Every mark is described in words ("resnet50: one object .76 (.75 to .77)"), which pages
show where the reader points at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from consilience.figures.colours import ACCENT, FAINT, INK, WARN

type Chart = Any  # of Altair, which is imported when a chart is drawn

SHARE = (0.0, 1.0)
_ROW = 24  # pixels of a name
_CELL, _SMALL, _SIDE = 34, 8, 800  # pixels of a cell, and of a matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis: the column, its title, and what it spans (None: what there is)."""

    column: str
    title: str
    domain: tuple[float, float] | None = None
    form: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to compare with: x and y of its ends, and what it is."""

    x: tuple[float, float]
    y: tuple[float, float]
    text: str


def bars(table: pd.DataFrame, x: Axis, y: Axis) -> Chart:
    """Draw values as bars with their intervals."""
    import altair as alt  # noqa: PLC0415 (an extra)

    base = alt.Chart(_plain(table))
    across = alt.X(
        f"{x.column}:N", sort=None, title=x.title, axis=alt.Axis(labelAngle=0)
    )
    drawn: Chart = base.mark_bar(color=ACCENT, opacity=0.75).encode(
        x=across, y=_y(alt, y), description="text:N"
    )
    drawn += base.mark_rule(color=INK, strokeWidth=2, aria=False).encode(
        x=across, y=_y(alt, y, "lower"), y2="upper:Q"
    )
    if "published" in table and table["published"].notna().any():
        drawn += _published(base).encode(
            x=across, y=_y(alt, y, "published"), description="published_text:N"
        )
    return drawn


def intervals(
    table: pd.DataFrame,
    x: Axis,
    y: str,
    *,
    hues: Mapping[str, str] | None = None,
    panels: str = "",
    width: float = 5.0,
) -> Chart:
    """Draw values with their intervals, one below the other."""
    import altair as alt  # noqa: PLC0415 (an extra)

    rows = _plain(table)
    base = alt.Chart() if panels else alt.Chart(rows)
    names = alt.Y(
        f"{y}:N", sort=None, title=None, axis=alt.Axis(grid=True, labelLimit=320)
    )
    where = "" if y == "model" else "right"  # names that stand at the rows
    hue = alt.value(ACCENT) if hues is None else _hue(alt, rows, "model", hues, where)
    drawn: Chart = base.mark_rule(strokeWidth=width, opacity=0.4, aria=False).encode(
        x=_x(alt, x, "lower"), x2="upper:Q", y=names, color=hue
    )
    drawn += base.mark_point(filled=True, size=55, opacity=1).encode(
        x=_x(alt, x), y=names, color=hue, description="text:N"
    )
    if "published" in rows and rows["published"].notna().any():
        drawn += _published(base).encode(
            x=_x(alt, x, "published"), y=names, description="published_text:N"
        )
    height = max(_ROW * rows[y].nunique(), 60)
    if not panels:
        return drawn.properties(height=height)
    return _panels(alt, drawn.properties(width=190, height=height), rows, panels)


def by_model(
    table: pd.DataFrame,
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    hues: Mapping[str, str],
) -> Chart:
    """Draw models as points with intervals, over lines to compare with."""
    import altair as alt  # noqa: PLC0415 (an extra)

    base = alt.Chart(_plain(table))
    hue, along = _hue(alt, table, "model", hues, "right"), _x(alt, x)
    drawn: Chart = base.mark_rule(strokeWidth=1.5, opacity=0.5, aria=False).encode(
        x=along, y=_y(alt, y, "lower"), y2="upper:Q", color=hue
    )
    drawn += base.mark_point(filled=True, size=60, opacity=1).encode(
        x=along, y=_y(alt, y), color=hue, description="text:N"
    )
    for line in lines:
        ends = pd.DataFrame({x.column: line.x, y.column: line.y, "text": line.text})
        style: dict[str, Any] = {"color": INK, "strokeDash": [5, 3], "opacity": 0.8}
        drawn += (
            alt.Chart(ends)
            .mark_line(strokeWidth=1.5, **style)
            .encode(x=along, y=_y(alt, y), description="text:N")
        )
        drawn += (
            alt.Chart(ends.tail(1))
            .mark_text(align="right", dy=-6, color=INK, fontSize=11, aria=False)
            .encode(x=along, y=_y(alt, y), text="text:N")
        )
    return drawn


def paths(
    table: pd.DataFrame,
    x: Axis,
    y: Axis,
    *,
    hues: Mapping[str, str],
    panels: str = "",
    ordinal: bool = False,
    series: str = "model",
    diagonal: bool = False,
) -> Chart:
    """Draw the values of each model along x, joined by lines."""
    import altair as alt  # noqa: PLC0415 (an extra)

    rows = _plain(table)
    base = alt.Chart() if panels else alt.Chart(rows)
    hue = _hue(alt, rows, series, hues, "right" if series == "model" else "top")
    along = (
        alt.X(f"{x.column}:N", sort=None, title=x.title, axis=alt.Axis(labelAngle=0))
        if ordinal
        else _x(alt, x)
    )
    up = _y(alt, y)
    drawn: Chart = base.mark_line(strokeWidth=1.5, opacity=0.7, aria=False).encode(
        x=along, y=up, color=hue, detail=f"{series}:N"
    )
    drawn += base.mark_rule(strokeWidth=1.5, opacity=0.35, aria=False).encode(
        x=along, y=_y(alt, y, "lower"), y2="upper:Q", color=hue
    )
    drawn += base.mark_point(filled=True, size=38, opacity=1).encode(
        x=along, y=up, color=hue, description="text:N"
    )
    if diagonal:
        ends = pd.DataFrame({x.column: [0.0, 1.0], y.column: [0.0, 1.0]})
        drawn += (
            alt.Chart(ends)
            .mark_line(strokeWidth=1, strokeDash=[5, 3], color=INK, aria=False)
            .encode(x=along, y=up)
        )
    if not panels:
        return drawn
    return _panels(alt, drawn.properties(width=190, height=230), rows, panels)


def heat(table: pd.DataFrame, *, rows: str, columns: str, panels: str = "") -> Chart:
    """Draw probabilities as the strength of cells."""
    import altair as alt  # noqa: PLC0415 (an extra)

    number = max(table[rows].nunique(), 2)
    cell = max(_SMALL, min(_CELL, _SIDE // number))
    side = cell * number
    probability = table["probability"].to_numpy(dtype=float)
    table = _plain(table).assign(
        strength=np.sqrt(probability),
        written=[
            f"{p:.2f}".lstrip("0") if p >= 0.005 and cell == _CELL else ""
            for p in probability
        ],
        inverse=probability > 0.35,
    )
    base = alt.Chart() if panels else alt.Chart(table)
    across = alt.X(
        f"{columns}:N",
        sort=None,
        title="called",
        axis=alt.Axis(labelAngle=-40, labelLimit=160),
    )
    down = alt.Y(f"{rows}:N", sort=None, title="is", axis=alt.Axis(labelLimit=200))
    drawn: Chart = base.mark_rect(color=ACCENT, stroke=FAINT).encode(
        x=across,
        y=down,
        opacity=alt.Opacity(
            "strength:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None
        ),
        description="text:N",
    )
    drawn += base.mark_text(fontSize=11, aria=False).encode(
        x=across,
        y=down,
        text="written:N",
        color=alt.Color(
            "inverse:N",
            scale=alt.Scale(domain=[False, True], range=[INK, "var(--paper)"]),
            legend=None,
        ),
    )
    if not panels:
        return drawn.properties(width=side, height=side)
    return _panels(alt, drawn.properties(width=side, height=side), table, panels)


def raster(table: pd.DataFrame, size: int, names: Sequence[str], panels: str) -> Chart:
    """Draw a large matrix as dots, the more probable the darker."""
    import altair as alt  # noqa: PLC0415 (an extra)

    strength = np.sqrt(table["probability"].to_numpy(dtype=float))
    rows = _plain(table).assign(strength=strength)
    span = alt.Scale(domain=[0, size], nice=False)
    down = alt.Scale(domain=[size, 0], nice=False)
    clear = alt.Scale(domain=[0, 1], range=[0.05, 1])
    drawn = alt.Chart().mark_square(size=3, color=ACCENT, aria=False)
    drawn = drawn.encode(
        x=alt.X("column:Q", scale=span, title=names[1]),
        y=alt.Y("row:Q", scale=down, title=names[0]),
        opacity=alt.Opacity("strength:Q", scale=clear, legend=None),
    )
    return _panels(alt, drawn.properties(width=330, height=330), rows, panels)


def _x(alt: Any, axis: Axis, column: str = "") -> Any:
    return alt.X(f"{column or axis.column}:Q", **_along(alt, axis))


def _y(alt: Any, axis: Axis, column: str = "") -> Any:
    return alt.Y(f"{column or axis.column}:Q", **_along(alt, axis))


def _along(alt: Any, axis: Axis) -> dict[str, Any]:
    scale = alt.Scale(zero=False)
    if axis.domain is not None:
        scale = alt.Scale(domain=list(axis.domain), nice=False)
    form = alt.Axis(labelFlush=False)
    if axis.form:
        form = alt.Axis(labelFlush=False, format=axis.form)
    return {"title": axis.title, "scale": scale, "axis": form}


def _hue(
    alt: Any, table: pd.DataFrame, series: str, hues: Mapping[str, str], where: str
) -> Any:
    """Return the colours of a series, named in a legend at the right or top."""
    names = list(dict.fromkeys(table[series]))
    scale = alt.Scale(domain=names, range=[hues[name] for name in names])
    legend = None
    if where:
        legend = alt.Legend(
            title=None, orient=where, columns=1, labelColor=INK, symbolOpacity=1
        )
    return alt.Color(f"{series}:N", scale=scale, legend=legend)


def _published(base: Chart) -> Chart:
    stated = base.transform_filter("isValid(datum.published)")
    return stated.mark_point(shape="diamond", size=70, color=WARN, strokeWidth=2)


def _panels(alt: Any, drawn: Chart, rows: pd.DataFrame, panels: str) -> Chart:
    """Return a chart for each value of a column, side by side."""
    order = list(dict.fromkeys(rows[panels]))
    header = alt.Header(labelColor=INK, labelFontSize=12, labelFontWeight="bold")
    column = alt.Column(f"{panels}:N", sort=order, title=None, header=header)
    return drawn.facet(data=rows, column=column)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of plain texts and numbers."""
    texts = [
        name
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column)
    ]
    return table.astype(dict.fromkeys(texts, "str")).reset_index(drop=True)
