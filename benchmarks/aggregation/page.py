"""A comparison as a page of Markdown, and as a picture drawn by Altair."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from consilience.benchmark.comparison import MEAN, Comparison, mean_table
from consilience.benchmark.datasets import CLIPS, METRICS

TITLES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "log_loss": "Log-loss",
    "log_loss_1e-3": "Log-loss, clipped at .001",
    "brier": "Brier",
    "ece": "ECE",
}
SHORT: Mapping[str, str] = {**TITLES, "log_loss_1e-3": "at .001"}


def page(comparison: Comparison, items: Mapping[str, int]) -> str:
    """Return the page.

    Parameters
    ----------
    comparison
        The comparison.
    items
        How many items with gold each set has.
    """
    means = mean_table(comparison)
    # The raw posterior of a fit is not a method of its own.
    number = comparison.runs["method"].nunique()
    parts = [
        f"# {with_noun(number, 'method')} on {with_noun(len(items), 'data set')}",
        "",
        *_means(comparison, means),
        "",
        *_differences(comparison, means),
    ]
    for metric in METRICS:
        parts += [
            "",
            f"## {TITLES[metric]} by set",
            "",
            *_by_set(comparison, metric, means),
        ]
    parts += ["", "## Seconds by set", "", *_by_set(comparison, "seconds", means)]
    parts += ["", *_failures(comparison.runs), "", *_protocol(comparison, items), ""]
    return "\n".join(parts)


def with_noun(number: int, what: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number
        How many.
    what
        Of what, in the singular.
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _means(comparison: Comparison, means: pd.DataFrame) -> list[str]:
    mean = comparison.results[comparison.results["set"] == MEAN]
    bounds = {
        (method, metric): (lower, upper)
        for method, metric, lower, upper in zip(
            *(mean[name] for name in ("method", "metric", "lower", "upper")),
            strict=True,
        )
    }
    all_sets = int(means["sets"].max()) if len(means) else 0
    shown = list(METRICS)
    best = {
        name: _best(means.loc[~means["part"], name], highest=name == "accuracy")
        for name in shown
    }
    head = [
        "method",
        "sets",
        *(SHORT[name] for name in shown),
        "rank: accuracy",
        "rank: log-loss",
        "seconds",
        "MiB",
    ]
    rows = []
    for method, row in means.iterrows():
        cells = []
        for name in shown:
            lower, upper = bounds.get((method, name), (np.nan, np.nan))
            between = f" ({_figure(lower)} to {_figure(upper)})"
            text = _figure(row[name]) + (between if np.isfinite(row[name]) else "")
            cells.append(f"**{text}**" if row[name] == best[name] else text)
        rows.append(
            [
                f"`{method}`",
                f"{row['sets']} of {all_sets}" if row["part"] else str(row["sets"]),
                *cells,
                _figure(row.get("rank_accuracy"), 1),
                _figure(row.get("rank_log_loss"), 1),
                _figure(row.get("seconds"), 1),
                _figure(row.get("peak_mib"), 0),
            ]
        )
    prob = f"{comparison.protocol.prob:.0%}"
    note = (
        f"Means over sets, in brackets the {prob} interval of the bootstrap of items. "
        "In bold: the best of those that failed nowhere."
    )
    return ["## Means", "", note, "", *table(head, rows)]


def _differences(comparison: Comparison, means: pd.DataFrame) -> list[str]:
    mean = comparison.differences
    if not len(mean):
        return []
    mean = mean[mean["set"] == MEAN].set_index(["method", "metric"])
    rows = []
    for method in means.index:
        if method == comparison.reference:
            continue
        cells = []
        for name in METRICS:
            if (method, name) not in mean.index:
                cells.append("")
                continue
            one = mean.loc[(method, name)]
            cells.append(
                f"{one['difference']:+.4f} ± {_figure(one['se'])} "
                f"({_figure(one['se_sets'])})"
            )
        if any(cells):
            rows.append([f"`{method}`", *cells])
    note = (
        f"Mean difference from `{comparison.reference}` over the sets that both did, "
        "paired by item: ± the standard error with the sets as given, in brackets the "
        "one with the sets as a sample of sets."
    )
    head = ["method", *(SHORT[name] for name in METRICS)]
    return [
        f"## Differences from {comparison.reference}",
        "",
        note,
        "",
        *table(head, rows),
    ]


def _by_set(comparison: Comparison, metric: str, means: pd.DataFrame) -> list[str]:
    results = comparison.results
    rows_of = results[results["metric"] == metric]
    sets = [name for name in dict.fromkeys(rows_of["set"]) if name != MEAN]
    values = rows_of.set_index(["method", "set"])["value"]
    status = comparison.runs.set_index(["method", "set"])["status"]
    digits = 1 if metric == "seconds" else 4
    wide = values.unstack("set")  # noqa: PD010 (two index levels)
    best = {
        name: _best(wide[name], highest=metric == "accuracy")
        for name in [*sets, MEAN]
        if name in wide
    }
    part = set(means.index[means["part"]])
    rows = []
    for method in means.index:
        cells = []
        for name in [*sets, MEAN]:
            value = values.get((method, name), np.nan)
            if np.isfinite(value):
                text = _figure(value, digits)
                bold = value == best[name] and not (name == MEAN and method in part)
                cells.append(f"**{text}**" if bold else text)
            else:
                how = status.get((method, name), "done")
                cells.append("" if how == "done" else str(how))
        if any(cells):
            rows.append([f"`{method}`", *cells])
    return table(["method", *sets, MEAN], rows)


def _failures(runs: pd.DataFrame) -> list[str]:
    failed = runs[runs["status"] != "done"]
    if not len(failed):
        return ["No run failed."]
    together = failed.groupby(["method", "status", "reason"], sort=False)["set"]
    rows = [
        [f"`{method}`", str(status), ", ".join(sets), str(reason).replace("|", "\\|")]
        for (method, status, reason), sets in together
    ]
    return ["## Failures", "", *table(["method", "how", "sets", "reason"], rows)]


def _protocol(comparison: Comparison, items: Mapping[str, int]) -> list[str]:
    protocol = comparison.protocol
    gold = ", ".join(f"{name} {count:,}" for name, count in items.items())
    versions = comparison.runs.dropna(subset=["version"])
    packages: dict[str, str] = {}
    for method, version in zip(versions["method"], versions["version"], strict=True):
        package, point, _ = str(method).rpartition(".")
        packages[package if point else "consilience"] = str(version)
    silent = comparison.runs.dropna(subset=["silent"])
    silent = silent[silent["silent"] > 0]
    sentences = [
        (
            "Every method sees all answers and no gold, and is judged on the items "
            f"with gold: {gold}. "
            "Every row of the data counts as an answer, unless an option of the "
            "reader says otherwise."
        ),
        (
            "Accuracy splits ties. Log-loss is in nats; a probability of the truth "
            f"below {CLIPS['log_loss']:g} counts as that (a method that excludes the "
            "truth loses 23 nats), and in the second column as "
            f"{CLIPS['log_loss_1e-3']:g} (7 nats): a method is clearly better where it "
            f"is so in both. Brier is from 0 to 2; ECE has "
            f"{_bins(protocol.bins)}."
        ),
        (
            "A method that states no probabilities has an accuracy alone. An item of "
            "which a method says nothing counts as equal probabilities for all labels"
            + (
                ": "
                + ", ".join(
                    f"`{method}` on {name} ({count:.0f} items)"
                    for method, name, count in zip(
                        silent["method"], silent["set"], silent["silent"], strict=True
                    )
                )
                if len(silent)
                else ""
            )
            + "."
        ),
        (
            "Ranks: 1 is the best, equal values share their places, a method that "
            "failed on a set comes last there; means over sets. `NAME (raw)` is the "
            "posterior of the same fit before tempering, and is not ranked."
        ),
        (
            "Seconds are of the fit in a process of its own, imports left out; with "
            "consilience most of them on a small set are compiling, which a second fit "
            "of the size finds done. MiB is the peak of the whole process."
        ),
        f"{', '.join(f'{name} {number}' for name, number in packages.items())}.",
    ]
    return ["## How it was taken", "", *(f"- {sentence}" for sentence in sentences)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown.

    Parameters
    ----------
    head
        Names of the columns.
    rows
        Text of the cells.
    """
    line: Callable[[Sequence[str]], str] = lambda cells: f"| {' | '.join(cells)} |"  # noqa: E731
    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def _bins(number: int | None) -> str:
    if number is None:
        return (
            "bins of equal size, of each method on each set as many as the share right "
            "rises along (Roelofs et al. 2022)"
        )
    return f"{number} bins of equal size"


def _figure(value: float | None, digits: int = 4) -> str:
    if value is None or not np.isfinite(value):
        return ""
    return f"{value:,.{digits}f}"


def _best(column: pd.Series, *, highest: bool) -> float:
    return float(column.max() if highest else column.min())


_SHOWN = ("accuracy", "log_loss", "brier", "ece")
_COLORS = {"consilience": "#1f6f8b", "another package": "#c0702a"}


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture: each method's mean accuracy, log-loss, Brier and ECE.

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
