"""Charts of values with their intervals for pages and pictures, drawn by Vega.

Every mark is described in words ("resnet50: one object .76 (.75 to .77)"), which pages
show where the reader points at it.

**The one place of colours: of models, and of the page's own variables.** A chart names
colours by the variables of the page, so that it follows light and dark; in a file of
its own they are replaced by the values of light.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from consilience.when_used import alt, vl_convert

type Chart = Any  # of Altair
SHARE = (0.0, 1.0)
_ROW = 24  # pixels of a name
_CELL, _SMALL, _SIDE = 34, 8, 800  # pixels of a cell, and of a matrix
_DARK = 0.6  # strength of a cell above which its number is light
WIDE, NARROW, HEIGHT = 760, 360, 260  # of a chart with its axes
_TITLE = 44  # letters of a line of an axis's title in a narrow chart
# Names may be wider in the font of the page than in that of the chart.
_MARGIN = {"left": 48, "right": 16, "top": 6, "bottom": 6}
# Twelve hues of middling lightness: 3:1 or more against white and against near-black.
_HUES = (
    *("#1f77b4", "#c2571a", "#2a8a3c", "#c93434", "#8a5fc0", "#8c6239"),
    *("#c2529a", "#72777d", "#8b8a00", "#118a98", "#5566dd", "#a8741a"),
)
_BINS = 20
_MAX_PEOPLE = 500
_MOST = 60  # models of a legend that have a colour
_LIGHT = {
    "ink": "#1b1f23",
    "line": "#d5d9de",
    "accent": "#1f5fa8",
    "warn": "#b3420f",
    "ground": "#ffffff",
}
INK, FAINT, ACCENT, WARN = (
    f"var(--{name})" for name in ("ink", "line", "accent", "warn")
)
_MISFIT = {False: INK, True: WARN}  # what the model does not reproduce
_INVERSE = {False: INK, True: "var(--ground)"}  # numbers of dark cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis: the column, its title, and what it spans (None: what there is).

    It is one of names, in the order of the table, or of numbers.
    """

    column: str = "value"
    title: str = ""
    domain: tuple[float, float] | None = None
    form: str = ""
    names: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to compare with: x and y of its ends, and what it is."""

    x: tuple[float, float]
    y: tuple[float, float]
    text: str = ""


DIAGONAL = Line(x=SHARE, y=SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """A chart of values with their intervals, along x where y has names.

    The marks are points, joined by lines within a series if asked, or bars.
    """

    x: Axis
    y: Axis
    hues: Mapping[Any, str] | None = None
    series: str = "model"
    legend: str = ""
    panels: str = ""
    lines: Sequence[Line] = ()
    bars: bool = False
    joined: bool = False
    rules: bool = True

    def draw(self, table: pd.DataFrame) -> Chart:
        """Return the chart of a table."""
        rows = _plain(table)
        base = alt.Chart() if self.panels else alt.Chart(rows)
        value, along = (self.x, "x") if self.y.names else (self.y, "y")
        hue = alt.value(INK if self.bars else ACCENT)
        if self.hues is not None:
            hue = _hue(rows, self.series, self.hues, self.legend)
        what = {"description": "text:N"} if "text" in rows else {}

        def at(column: str = "") -> dict[str, Any]:
            named = {"x": _along(self.x, "x"), "y": _along(self.y, "y")}
            return named | {along: _along(value, along, column)}

        layers = []
        if self.bars:
            marks = base.mark_bar(color=ACCENT, opacity=0.75)
            layers.append(marks.encode(**at(), **what))
        if self.joined:
            marks = base.mark_line(strokeWidth=1.5, opacity=0.7, aria=False)
            detail = f"{self.series}:N"
            layers.append(marks.encode(**at(), color=hue, detail=detail))
        if self.rules:
            usual = (2.0, 1.0) if self.bars else (1.5, 0.45)
            width, opacity = (5.0, 0.4) if self.y.names else usual
            marks = base.mark_rule(strokeWidth=width, opacity=opacity, aria=False)
            ends = {**at("lower"), f"{along}2": "upper:Q"}
            layers.append(marks.encode(**ends, color=hue))
        if not self.bars:
            size = 38 if self.joined else 55
            marks = base.mark_point(filled=True, size=size, opacity=1)
            layers.append(marks.encode(**at(), color=hue, **what))
        if "published" in rows and rows["published"].notna().any():
            stated = base.transform_filter("isValid(datum.published)")
            marks = stated.mark_point(
                shape="diamond", size=70, color=WARN, strokeWidth=2
            )
            published = {**at("published"), "description": "published_text:N"}
            layers.append(marks.encode(**published))
        layers += [
            part for line in self.lines for part in _compared(line, self.x, self.y)
        ]
        drawn, height = alt.layer(*layers), 230
        if self.y.names:
            height = max(_ROW * rows[self.y.column].nunique(), 60)
            drawn = drawn.properties(height=height)
        if not self.panels:
            return drawn
        panel = drawn.properties(width=190, height=height)
        return _panels(panel, rows, self.panels)


def _compared(line: Line, x: Axis, y: Axis) -> list[Chart]:
    """Return a line to compare with, and its words at its end."""
    ends = pd.DataFrame({x.column: line.x, y.column: line.y, "text": line.text})
    at = {"x": _along(x, "x"), "y": _along(y, "y")}
    how: dict[str, Any] = {"color": INK, "strokeDash": [5, 3], "opacity": 0.8}
    drawn = alt.Chart(ends).mark_line(strokeWidth=1.5, aria=bool(line.text), **how)
    if not line.text:
        return [drawn.encode(**at)]
    words = alt.Chart(ends.tail(1)).mark_text(
        align="right", dy=-6, color=INK, fontSize=11, aria=False
    )
    return [drawn.encode(**at, description="text:N"), words.encode(**at, text="text:N")]


def heat(
    table: pd.DataFrame,
    *,
    rows: str,
    columns: str,
    panels: str = "",
    titles: tuple[str, str] = ("is", "called"),
    power: float = 0.5,
) -> Chart:
    """Draw probabilities, to a power, as the strength of cells."""
    number = max(table[rows].nunique(), 2)
    cell = max(_SMALL, min(_CELL, _SIDE // number))
    side = cell * number
    probability = table["probability"].to_numpy(dtype=float)
    table = _plain(table).assign(
        strength=probability**power,
        written=[
            f"{p:.2f}".lstrip("0") if p >= 0.005 and cell == _CELL else ""
            for p in probability
        ],
        inverse=probability**power > _DARK,
    )
    base = alt.Chart() if panels else alt.Chart(table)
    turned, wide = alt.Axis(labelAngle=-40, labelLimit=160), alt.Axis(labelLimit=200)
    ends = {
        "x": alt.X(f"{columns}:N", sort=None, title=titles[1], axis=turned),
        "y": alt.Y(f"{rows}:N", sort=None, title=titles[0], axis=wide),
    }
    clear, ink = _clear("strength:Q", 0.0, 1.0), _hue(table, "inverse", _INVERSE)
    cells = base.mark_rect(color=ACCENT, stroke=FAINT)
    numbers = base.mark_text(fontSize=11, aria=False)
    drawn: Chart = cells.encode(**ends, opacity=clear, description="text:N")
    drawn += numbers.encode(**ends, text="written:N", color=ink)
    drawn = drawn.properties(width=side, height=side)
    return _panels(drawn, table, panels) if panels else drawn


def raster(table: pd.DataFrame, size: int, names: Sequence[str], panels: str) -> Chart:
    """Draw a large matrix as dots, the more probable the darker."""
    strength = np.sqrt(table["probability"].to_numpy(dtype=float))
    rows = _plain(table).assign(strength=strength)
    span = alt.Scale(domain=[0, size], nice=False)
    down = alt.Scale(domain=[size, 0], nice=False)
    drawn = alt.Chart().mark_square(size=3, color=ACCENT, aria=False)
    drawn = drawn.encode(
        x=alt.X("column:Q", scale=span, title=names[1]),
        y=alt.Y("row:Q", scale=down, title=names[0]),
        opacity=_clear("strength:Q", 0.05, 1.0),
    )
    return _panels(drawn.properties(width=330, height=330), rows, panels)


def _along(axis: Axis, channel: str, column: str = "") -> Any:
    """Return a column, by default that of the axis, as the channel x or y."""
    make = alt.X if channel == "x" else alt.Y
    if axis.names:
        turned: dict[str, Any] = {"labelAngle": 0} if channel == "x" else {"grid": True}
        title = axis.title or None
        return make(f"{axis.column}:N", sort=None, title=title, axis=alt.Axis(**turned))
    scale = alt.Scale(zero=False, type="log" if axis.log else "linear")
    if axis.domain is not None:
        scale = alt.Scale(domain=list(axis.domain), nice=False)
    form = {"format": axis.form} if axis.form else {}
    ticks = alt.Axis(labelFlush=False, **form)
    name = f"{column or axis.column}:Q"
    return make(name, title=axis.title, scale=scale, axis=ticks)


def _hue(
    table: pd.DataFrame, series: str, hues: Mapping[Any, str], where: str = ""
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


def _clear(column: str, least: float, most: float) -> Any:
    """Return a number from 0 to 1, or whether something holds, as an opacity."""
    ends = [False, True] if column.endswith(":N") else [0, 1]
    scale = alt.Scale(domain=ends, range=[least, most])
    return alt.Opacity(column, scale=scale, legend=None)


def _panels(drawn: Chart, rows: pd.DataFrame, panels: str) -> Chart:
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


class Drawn(NamedTuple):
    """A chart as SVG for wide pages, and for narrow ones where that is another."""

    wide: str
    narrow: str = ""

    @property
    def by_width(self) -> Mapping[str, str]:
        """The drawings by the pages that they are for: wide, narrow, or any."""
        if not self.narrow:
            return {"any": self.wide}
        return {"wide": self.wide, "narrow": self.narrow}


def certainty(probability: Sequence[float]) -> Drawn:
    """Draw how many items are how certain."""
    values = np.asarray(probability, float)
    count, edges = np.histogram(values[np.isfinite(values)], _BINS, (0, 1))
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "items": count})
    low = alt.X("low:Q", bin="binned", title="probability of the best label")
    chart = alt.Chart(table).mark_bar(color=ACCENT, binSpacing=1)
    drawn = chart.encode(x=low, x2="high:Q", y=alt.Y("items:Q", title="items"))
    return in_widths(drawn.properties(height=180), described=False)


def skill(people: pd.DataFrame) -> Drawn:
    """Draw the accuracy of annotators against how much they answered."""
    rows = people[["responses", "accuracy", "lower", "upper"]]
    rows = rows.dropna(subset="accuracy").head(_MAX_PEOPLE)
    given = rows["responses"]
    log = bool(len(given) and given.min() > 0 and given.max() > 20 * given.min())
    x = Axis(column="responses", title="answers given", log=log)
    y = Axis(column="accuracy", title="accuracy", domain=SHARE)
    bounded = bool(rows["lower"].notna().any())
    drawn = Estimates(x=x, y=y, rules=bounded).draw(rows)
    return in_widths(drawn.properties(height=240), described=False)


def observed_by_replicated(rows: pd.DataFrame) -> Drawn:
    """Draw observed shares against those of replicated answers."""
    outside = ~rows["observed"].between(rows["lower"], rows["upper"])
    table = rows[["replicated", "observed", "misfit"]].assign(outside=outside)
    x, y = (Axis(column=name, title=name, domain=SHARE) for name in table.columns[:2])
    (line,) = _compared(DIAGONAL, x, y)
    points = alt.Chart(_plain(table.tail(_MAX_PEOPLE))).mark_point(filled=True, size=24)
    drawn = line + points.encode(
        x=_along(x, "x"),
        y=_along(y, "y"),
        color=_hue(table, "misfit", _MISFIT),
        opacity=_clear("outside:N", 0.25, 0.9),
    )
    return Drawn(svg(drawn.properties(width=210, height=210), described=False))


def observed_in_intervals(rows: pd.DataFrame, title: str, names: str) -> Drawn:
    """Draw observed shares over the intervals of those of replicated answers."""
    table = rows[["name", "observed", "lower", "upper", "misfit"]]
    x = Axis(column="observed", title=title, domain=(0.0, top(table, "observed")))
    y = Axis(column="name", title=names, names=True)
    drawn = Estimates(x=x, y=y, series="misfit", hues=_MISFIT).draw(table)
    return in_widths(drawn.properties(height=22 * len(table)), described=False)


def top(rows: pd.DataFrame, value: str = "value") -> float:
    """Return the tenth that is above all values and their bounds."""
    largest = np.nanmax(rows[[value, "upper"]].to_numpy(dtype=float), initial=0.1)
    return float(np.ceil(10 * largest) / 10)


def in_widths(chart: Any, *, described: bool = True) -> Drawn:
    """Return a chart for wide and for narrow pages; a matrix is the same for both."""
    made = _specification(chart)
    wide = _rendered(made, WIDE, described=described)
    panel = made.get("spec", made)
    if "width" in panel and panel["width"] == panel.get("height"):
        return Drawn(wide)
    narrow = _one_below_another(_in_lines(made))
    return Drawn(wide, _rendered(narrow, NARROW, described=described))


def svg(chart: Any, *, described: bool = True) -> str:
    """Return a chart as SVG whose colours are the variables of a page.

    One without a size has the usual width, axes included, and the height that its names
    need.
    """
    return _rendered(_specification(chart), WIDE, described=described)


def _specification(chart: Any) -> dict[str, Any]:
    with alt.data_transformers.enable("default", max_rows=None):
        made: dict[str, Any] = chart.to_dict(validate=False)
    return made


def _rendered(chart: dict[str, Any], width: int, *, described: bool) -> str:
    text = {"labelColor": INK, "labelFontSize": 11, "titleColor": INK}
    text |= {"titleFontSize": 12, "titleFontWeight": "normal"}
    narrow = width < WIDE
    config: dict[str, Any] = {
        "background": "transparent",
        "font": "sans-serif",
        "aria": described,
        "view": {"stroke": None},
        "axis": text | dict.fromkeys(("gridColor", "domainColor", "tickColor"), FAINT),
        "axisY": {"labelLimit": 170 if narrow else 320},
    }
    sized: dict[str, Any] = {}
    if described:
        config["padding"] = _MARGIN | ({"left": 16, "right": 8} if narrow else {})
    if "facet" not in chart:
        sized["height"] = HEIGHT
        if "width" not in chart:
            sized["width"] = width
            config["autosize"] = {"type": "fit-x", "contains": "padding"}
    return str(vl_convert.vegalite_to_svg({**sized, **chart, "config": config}))


def _in_lines(part: Any) -> Any:
    """Return a specification with long titles in lines, and legends above."""
    if isinstance(part, list):
        return [_in_lines(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {
        name: part[name] if name in ("data", "datasets") else _in_lines(part[name])
        for name in part
    }
    if isinstance(made.get("title"), str) and "field" in made:
        made["title"] = wrap(made["title"], _TITLE) or ""
    if isinstance(made.get("legend"), dict):
        made["legend"] = made["legend"] | {"orient": "top"}
    return made


def _one_below_another(specification: dict[str, Any]) -> dict[str, Any]:
    """Return a specification whose panels stand below one another."""
    panels = specification.get("facet", {}).get("column")
    if panels is None:
        return specification
    return specification | {"facet": panels, "columns": 1}


def alone(drawing: str) -> str:
    """Return a drawing on white, with the colours of light instead of variables."""
    values = {f"model-{number}": hue for number, hue in enumerate(_HUES)} | _LIGHT
    light = re.sub(r"var\(--([a-z0-9-]+)\)", lambda name: values[name[1]], drawing)
    ground = '><rect width="100%" height="100%" fill="#ffffff"/><'
    return light.replace("><", ground, 1)


def png(drawing: str) -> bytes:
    """Return a drawing, made to stand alone, as PNG at twice its size."""
    return bytes(vl_convert.svg_to_png(drawing, scale=2))


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
