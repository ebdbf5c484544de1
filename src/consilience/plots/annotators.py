"""How good annotators are: a forest of estimates with intervals, the best on top."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from consilience.errors import OptionError, not_among
from consilience.posterior import Fit
from consilience.tables import CATALOGUE
from consilience.tables.mpl import percent, plot_rows, shown


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
    rows = fit.with_(prob=prob).annotators()
    columns = _columns(rows, by)
    rows = rows.dropna(subset=columns[0])
    if annotators is not None:
        rows = _chosen(rows, annotators)
    if rows.empty:
        msg = (
            f"plot_annotators: the fit ({fit.data.attrs['model']}) has no {columns[0]} "
            "of annotators; fit a model that has, such as hierarchical_dawid_skene"
        )
        raise OptionError(msg)
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
