"""A picture of a comparison: each method's mean accuracy, log-loss, Brier and ECE.

Drawn by Altair.
"""

from pathlib import Path
from typing import Any

from benchmarks.aggregation.page import TITLES, with_noun
from consilience.benchmark.comparison import MEAN, Comparison, mean_table

_SHOWN = ("accuracy", "log_loss", "brier", "ece")
_COLORS = {"consilience": "#1f6f8b", "another package": "#c0702a"}


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture.

    Parameters
    ----------
    comparison
        The comparison.
    path
        File, ending in .svg or .png.
    """
    import altair as alt

    means = mean_table(comparison)
    order = list(means.index)
    results = comparison.results
    rows = results[(results["set"] == MEAN) & results["metric"].isin(_SHOWN)]
    rows = rows.dropna(subset=["value"]).assign(
        by=lambda table: [
            "another package" if "." in name else "consilience"
            for name in table["method"]
        ],
        all_sets=lambda table: ~table["method"].map(means["part"]).astype(bool),
    )
    color: Any = alt.Color(
        "by:N",
        title=None,
        scale=alt.Scale(domain=list(_COLORS), range=list(_COLORS.values())),
    )
    opacity: Any = alt.condition("datum.all_sets", alt.value(1.0), alt.value(0.35))
    panels = []
    for metric in _SHOWN:
        of_metric = rows[rows["metric"] == metric]
        named = metric == _SHOWN[0]
        axis = alt.Axis(labels=named, ticks=named, labelLimit=260)
        base = alt.Chart(of_metric).encode(
            y=alt.Y("method:N", scale=alt.Scale(domain=order), title=None, axis=axis),
            color=color,
            opacity=opacity,
        )
        bars = base.mark_rule(strokeWidth=2).encode(
            x=alt.X("lower:Q", title=None, scale=alt.Scale(zero=False)), x2="upper:Q"
        )
        points = base.mark_point(filled=True, size=45).encode(x="value:Q")
        panels.append(
            (bars + points).properties(
                title=TITLES[metric], width=190, height=alt.Step(15)
            )
        )
    title = alt.TitleParams(
        f"Means over {with_noun(comparison.runs['set'].nunique(), 'data set')}",
        subtitle=(
            f"Lines: {comparison.protocol.prob:.0%} intervals of the bootstrap of "
            "items. Pale: failed on some sets. The least log-loss first."
        ),
        anchor="start",
    )
    chart = alt.hconcat(*panels, spacing=12, title=title)
    chart = chart.configure_view(stroke="#dddddd")
    chart.save(str(path), **({"scale_factor": 2} if path.suffix == ".png" else {}))
