"""How good annotators are, the best on top, and how far they agree."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from consilience.analysis import Agreement
from consilience.analysis.model_tables import coefficients, labels
from consilience.errors import OptionError, not_among
from consilience.posterior import Fit
from consilience.posterior.annotators import skills
from consilience.tables import CATALOGUE
from consilience.tables.mpl import (
    Matrix,
    Names,
    draw_matrix,
    matrix_width,
    names_of_labels,
    new_axes,
    percent,
    plot_rows,
    short_number,
    shown,
)

type What = Literal["coefficients", "labels", "pairs"]

_WITH_NUMBERS = 20  # annotators whose cells have room for numbers


def annotators(
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
        Columns of `Fit.annotators`, such as accuracy, sensitivity, specificity or
        spammer; rows are in the order of the first. By default sensitivity and
        specificity for contains, else accuracy.
    annotators : sequence, optional
        Those to draw. By default all, or where there are more than `most`, the most and
        the least accurate ones.
    most : int, default 40
        Largest number of rows.
    prob, ax
        As of `confusion`.

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
    confusion : Which labels an annotator confuses.

    Examples
    --------
    >>> import consilience as cs
    >>> responses = cs.simulate(items=30, seed=0).responses
    >>> fit = cs.fit(responses, model="bayesian_dawid_skene", engine="em")
    >>> cs.plot.annotators(fit).get_xlabel()
    'accuracy (mean)'
    """
    rows = skills(fit.with_(prob=prob).data)
    columns = _columns(rows, by)
    rows = rows.dropna(subset=columns[0])
    if annotators is not None:
        rows = _chosen(rows, annotators)
    if rows.empty:
        raise OptionError(
            f"plot.annotators: the fit ({fit.data.attrs['model']}) has no {columns[0]} "
            "of annotators; fit a model that has, such as hierarchical_dawid_skene"
        )
    table = CATALOGUE["annotators"].of(rows).sort(columns[0])
    if annotators is None and len(rows) > most:
        best = max(most // 2, 1)
        table = table.ends(best, max(most - best, 1))
    names = [
        f"{shown(name)} ({number:,})"
        for name, number in table.frame[["annotator", "responses"]].to_numpy()
    ]
    what = " and ".join(table.schema.column(name).words for name in columns)
    stated = "mean"
    if table.bounded:
        prob = fit.data.attrs["prob"] if prob is None else prob
        stated = f"mean, {percent(prob)} interval"
    return plot_rows(table, columns, names, f"{what} ({stated})", ax)


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
        raise OptionError(
            f"plot.annotators: no column is named; name some of {', '.join(there)}"
        )
    return columns


def _chosen(table: pd.DataFrame, annotators: Sequence[object]) -> pd.DataFrame:
    wanted = [annotators] if isinstance(annotators, str) else list(annotators)
    there = table["annotator"].astype("str")
    for name in map(str, wanted):
        if not (there == name).any():
            raise OptionError(not_among("annotator", name, there.head(20)))
    return table[there.isin([str(name) for name in wanted])]


def agreement(
    agreement: Agreement,
    what: What = "coefficients",
    *,
    measure: Literal["kappa", "percent"] = "kappa",
    most: int = 40,
    names: Names = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot how far annotators agree.

    Parameters
    ----------
    agreement : Agreement
        The result of `agreement`.
    what : {"coefficients", "labels", "pairs"}, default "coefficients"
        The coefficients with their intervals; the agreement on each label; or a matrix
        of the annotators. The last two have to be asked of `agreement` by its argument
        `by`.
    measure : {"kappa", "percent"}, default "kappa"
        What is drawn of pairs: Cohen's kappa, or the share of equal answers.
    most : int, default 40
        Largest number of labels, or of annotators: those with the most questions in
        common with others.
    names, ax
        As of `confusion`.

    Returns
    -------
    matplotlib.axes.Axes
        Intervals are of the bootstrap of items, or where that does not serve, of the
        standard error. In the matrix, annotators who agree stand side by side. A kappa
        below zero has the colour of zero; pairs without a common question are grey.

    Raises
    ------
    OptionError
        If `agreement` has no such table, or nothing in it is defined.

    See Also
    --------
    agreement : Compute the coefficients.

    Examples
    --------
    >>> import consilience as cs
    >>> responses = cs.simulate(items=30, seed=0).responses
    >>> ax = cs.plot.agreement(cs.agreement(responses, resamples=200))
    >>> ax.get_yticklabels()[0].get_text()
    'agreement'
    """
    if what == "coefficients":
        return _coefficients(agreement, ax)
    if what not in ("labels", "pairs"):
        there = ("coefficients", "labels", "pairs")
        raise OptionError(not_among("plot of agreement", what, there))
    table = getattr(agreement, what)
    if table is None or table.empty:
        raise OptionError(
            f"plot.agreement: there is no table of {what}; compute the agreement with "
            f"{what[:-1]!r} in `by`"
        )
    if what == "labels":
        return _labels(agreement, most, names, ax)
    if measure not in ("kappa", "percent"):
        raise OptionError(not_among("measure of pairs", measure, ("kappa", "percent")))
    return _pairs(table, measure, most, ax)


def _coefficients(agreement: Agreement, ax: Axes | None) -> Axes:
    table = coefficients(agreement)
    if table.frame.empty:
        reasons = "; ".join(dict.fromkeys(agreement.coefficients["reason"].dropna()))
        raise OptionError(f"plot.agreement: no coefficient is defined ({reasons})")
    names = [cell.text for cell in table.cells("coefficient")]
    return plot_rows(table, ["value"], names, "agreement", ax)


def _labels(agreement: Agreement, most: int, names: Names, ax: Axes | None) -> Axes:
    table, called = labels(agreement).first(most), names_of_labels(names)
    rows = [
        f"{shown(called.get(str(label), label))} ({100 * share:.0f} %)"
        for label, share in table.frame[["label", "share"]].to_numpy()
    ]
    return plot_rows(table, ["specific", "kappa"], rows, "agreement", ax)


def _pairs(table: pd.DataFrame, measure: str, most: int, ax: Axes | None) -> Axes:
    ends = ["annotator", "other_annotator"]
    table = table[[*ends, "questions", measure]].astype(dict.fromkeys(ends, "str"))
    turned = table.rename(columns=dict(zip(ends, ends[::-1], strict=True)))
    both = pd.concat([table, turned])
    common = both.groupby("annotator")["questions"].sum()
    names = list(common.sort_values(ascending=False, kind="stable").index[:most])
    size = len(names)
    matrix = both.pivot_table(measure, "annotator", "other_annotator")
    value = matrix.reindex(index=names, columns=names).to_numpy(dtype=float)
    order = _neighbours(value)
    value, names = value[np.ix_(order, order)], [shown(names[at], 20) for at in order]
    cell = 0.42 if size <= _WITH_NUMBERS else 0.24
    axes = new_axes(
        ax, rows=round(size * cell / 0.24) + 3, width=matrix_width(size, cell)
    )
    cells = [[short_number(number) for number in row] for row in value]
    fontsize = 7.0 if size <= _WITH_NUMBERS else None
    draw_matrix(axes, Matrix(value, cells, names, names), fontsize=fontsize)
    axes.set_title(CATALOGUE["agreement_pairs"].column(measure).words)
    return axes


def _neighbours(value: np.ndarray) -> list[int]:
    """Return an order in which those who agree stand side by side."""
    if len(value) < 3:
        return list(range(len(value)))
    apart = 1.0 - np.where(np.isfinite(value), value, np.nanmean(value))
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform(np.maximum(apart, 0.0), checks=False), "average")
    return [int(place) for place in leaves_list(tree)]
