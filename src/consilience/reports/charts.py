"""The charts: drawn by Altair, turned to SVG without a browser.

Colours are the page's own variables, so that a chart follows light and dark.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from consilience.figures.colours import ACCENT, INK, WARN
from consilience.figures.drawn import svg

_BINS = 20
_MAX_PEOPLE = 500


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
