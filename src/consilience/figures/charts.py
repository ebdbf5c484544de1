"""Charts of values with their intervals, each of one table.

Every mark is described in words ("resnet50: one object .76 (.75 to .77)"), which pages
show where the reader points at it.

**The one place of colours: of models, and of the page's own variables.** A chart names
colours by the variables of the page, so that it follows light and dark; in a file of
its own they are replaced by the values of light.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

type Chart = Any  # of Altair, which is imported when a chart is drawn
SHARE = (0.0, 1.0)
_ROW = 24  # pixels of a name
_CELL, _SMALL, _SIDE = 34, 8, 800  # pixels of a cell, and of a matrix
WIDTH, HEIGHT = 520, 260
# Names may be wider in the font of the page than in that of the chart.
_MARGIN = {"left": 48, "right": 16, "top": 6, "bottom": 6}
# Twelve hues of middling lightness: 3:1 or more against white and against near-black.
_HUES = (
    "#1f77b4",
    "#c2571a",
    "#2a8a3c",
    "#c93434",
    "#8a5fc0",
    "#8c6239",
    "#c2529a",
    "#72777d",
    "#8b8a00",
    "#118a98",
    "#5566dd",
    "#a8741a",
)
_MOST = 60  # models of a legend that have a colour
_LIGHT = {
    "ink": "#1b1f23",
    "line": "#d5d9de",
    "accent": "#1f5fa8",
    "warn": "#b3420f",
    "paper": "#ffffff",
}
INK, FAINT, ACCENT, WARN = (
    f"var(--{name})" for name in ("ink", "line", "accent", "warn")
)


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


def svg(chart: Any, *, described: bool = True) -> str:
    """Return a chart as SVG whose colours are the variables of a page."""
    import altair as alt  # noqa: PLC0415 (an extra)
    import vl_convert  # noqa: PLC0415

    styled = _style(_sized(chart), described=described)
    with alt.data_transformers.enable("default", max_rows=None):
        specification = styled.to_dict()
    return str(vl_convert.vegalite_to_svg(specification))


def alone(drawing: str) -> str:
    """Return a drawing with its own colours, on white."""
    return for_light(drawing).replace(
        "><", '><rect width="100%" height="100%" fill="#ffffff"/><', 1
    )


def png(drawing: str) -> bytes:
    """Return a drawing, made to stand alone, as PNG at twice its size."""
    import vl_convert  # noqa: PLC0415 (an extra)

    return bytes(vl_convert.svg_to_png(drawing, scale=2))


def _sized(chart: Any) -> Any:
    """Give a chart without a size the usual one, or one that its names need."""
    import altair as alt  # noqa: PLC0415 (an extra)

    if isinstance(chart, alt.FacetChart):
        return chart
    if not isinstance(chart.width, int | float):
        chart = chart.properties(width=WIDTH)
    return (
        chart if chart.height is not alt.Undefined else chart.properties(height=HEIGHT)
    )


def _style(chart: Any, *, described: bool) -> Any:
    return (
        chart.configure(
            background="transparent",
            font="sans-serif",
            aria=described,
            **({"padding": _MARGIN} if described else {}),
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            gridColor=FAINT,
            domainColor=FAINT,
            tickColor=FAINT,
            titleFontWeight="normal",
            labelFontSize=11,
            titleFontSize=12,
        )
    )


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """Return the colour of each model, as the variable of the page that holds it."""
    return {
        model: f"var(--model-{number % len(_HUES)})"
        for number, model in enumerate(models)
    }


def style() -> str:
    """Return the variables of the page that are set here."""
    hues = "".join(f"--model-{number}:{hue};" for number, hue in enumerate(_HUES))
    classes = "".join(
        f".hue{number}{{--hue:var(--model-{number % len(_HUES)})}}\n"
        for number in range(_MOST)
    )
    return f":root{{{hues}}}\n{classes}"


def for_light(svg: str) -> str:
    """Return a drawing with the colours of light in the place of variables."""
    values = {f"model-{number}": hue for number, hue in enumerate(_HUES)}
    values |= _LIGHT
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda name: values[name[1]], svg)
