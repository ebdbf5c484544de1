"""How good annotators are: a forest of estimates with intervals, the best on top."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from consilience.errors import OptionError, not_among
from consilience.plots.drawing import (
    Rows,
    draw_rows,
    legend,
    new_axes,
    percent,
    set_rows,
    share_axis,
    shown,
    width_for,
)
from consilience.posterior import Fit

_NAMES = {"single_label": "single-label rate", "spammer": "answers at random"}


def plot_annotators(
    fit: Fit,
    by: str | Sequence[str] | None = None,
    *,
    annotators: Sequence[object] | None = None,
    most: int = 40,
    prob: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot how good annotators are, with intervals, the best on top.

    Parameters
    ----------
    fit : Fit
        A fit whose model has parameters of annotators.
    by : str or sequence of str, optional
        Columns of `Fit.annotators`, such as accuracy, sensitivity, specificity,
        spammer, recall or single_label; rows are in the order of the first. By default
        sensitivity and specificity for contains, else accuracy.
    annotators : sequence, optional
        Those to draw. By default all, or where there are more than `most`, the most and
        the least accurate ones.
    most : int, default 40
        Largest number of rows.
    prob : float, optional
        Probability of the intervals; by default that of the fit.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; in brackets behind each name is the number of responses.

    Raises
    ------
    OptionError
        If there is no such column or annotator, or the fit has no estimates of
        annotators.

    See Also
    --------
    Fit.annotators : The numbers that are drawn.
    plot_confusion : Which labels an annotator confuses.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> ax = cs.plot_annotators(fit, prob=0.5)
    >>> ax.get_xlabel()
    'accuracy (mean, 50 % interval)'
    """
    table = fit.annotators(prob=prob)
    columns = _columns(table, by)
    table = table.dropna(subset=columns[0])
    if annotators is not None:
        table = _chosen(table, annotators)
    if table.empty:
        msg = (
            f"plot_annotators: the fit ({fit.data.attrs['model']}) has no {columns[0]} "
            "of annotators; fit a model that has, such as hierarchical_dawid_skene"
        )
        raise OptionError(msg)
    table = table.sort_values(columns[0], ascending=False, kind="stable")
    total, places = len(table), np.arange(len(table), dtype=float)
    if total > most and annotators is None:
        best = max(most // 2, 1)
        table = pd.concat([table.head(best), table.tail(max(most - best, 1))])
        places = np.arange(len(table), dtype=float)
        places[best:] += 1.0  # a gap for those that are left out
    names = [
        f"{shown(name)} ({number:,})"
        for name, number in zip(table["annotator"], table["responses"], strict=True)
    ]
    axes = new_axes(ax, rows=len(table), width=width_for(names))
    set_rows(axes, names, places)
    # Two series stand side by side in a row.
    apart = np.linspace(-0.15, 0.15, len(columns)) if len(columns) > 1 else [0.0]
    for number, (column, aside) in enumerate(zip(columns, apart, strict=True)):
        prefix = "" if column == "accuracy" else f"{column}_"
        rows, label = Rows.of(table, column, prefix), _NAMES.get(column, column)
        draw_rows(axes, places + aside, rows, number, label=label)
    what = " and ".join(_NAMES.get(column, column) for column in columns)
    stated = percent(fit.data.attrs["prob"] if prob is None else prob)
    share_axis(axes, f"{what} (mean, {stated} interval)")
    if total > len(table):
        axes.text(
            0.5,
            places[best - 1] + 1.0,
            f"{total - len(table):,} more",
            ha="center",
            va="center",
            style="italic",
        )
    if len(columns) > 1:
        legend(axes)
    return axes


def _columns(table: pd.DataFrame, by: str | Sequence[str] | None) -> list[str]:
    if by is None:
        both = ["sensitivity", "specificity"]
        return both if "sensitivity" in table else ["accuracy"]
    columns = [by] if isinstance(by, str) else list(by)
    there = [
        str(name) for name in table if f"{name}_lower" in table or name == "accuracy"
    ]
    for column in columns:
        if column not in there:
            raise OptionError(not_among("column of annotators", column, there))
    if not columns:
        msg = f"plot_annotators: no column is named; name some of {', '.join(there)}"
        raise OptionError(msg)
    return columns


def _chosen(table: pd.DataFrame, annotators: Sequence[object]) -> pd.DataFrame:
    wanted = [annotators] if isinstance(annotators, str) else list(annotators)
    there = table["annotator"].astype("str")
    for name in map(str, wanted):
        if not (there == name).any():
            raise OptionError(not_among("annotator", name, there.head(20)))
    return table[there.isin([str(name) for name in wanted])]
