"""Which labels are confused: P(answer | truth) as a matrix with numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from consilience.analysis import ComparedConfusion, HumanConfusion
from consilience.errors import OptionError, not_a, not_among
from consilience.posterior import Fit
from consilience.tables.mpl import (
    COLOURS,
    LONGEST,
    Matrix,
    Names,
    Rows,
    draw_matrix,
    draw_rows,
    matrix_width,
    names_of_labels,
    new_axes,
    percent,
    set_rows,
    several_axes,
    share_axis,
    short_number,
    shown,
    width_for,
)

_WITH_BOUNDS, _WITH_NUMBERS = 8, 20  # labels whose cells have room for text
_GAP = 0.6  # rows between two items


def confusion(
    confusion: Fit | HumanConfusion | ComparedConfusion | pd.DataFrame,
    annotator: object = None,
    *,
    labels: Sequence[object] | None = None,
    most: int = 30,
    names: Names = None,
    prob: float | None = None,
    ax: Any = None,
) -> Any:
    """Plot how answers depend on the truth, as a matrix with numbers and intervals.

    Parameters
    ----------
    confusion : Fit, HumanConfusion, ComparedConfusion or pandas.DataFrame
        A fit, the confusion of classes, or that of people and models, of which each has
        a matrix; or a table with the columns true_label, given_label and probability.
    annotator : optional
        Draw the matrix of this annotator (of `ComparedConfusion`: of this model, or of
        people); by default that of all annotators together.
    labels : sequence, optional
        Labels to draw. By default all, or where there are more than `most`, those that
        are confused most.
    most : int, default 30
        Largest number of labels.
    names : Responses or pandas.DataFrame, optional
        What labels are called: responses, or a table with the columns label and name.
    prob : float, optional
        Probability of the intervals; by default that of the fit.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default new ones. Several for the parties of
        `ComparedConfusion`.

    Returns
    -------
    matplotlib.axes.Axes, or an array of them
        True labels are rows. A cell has the probability in hundredths and its bounds
        where there is room; cells that round to zero are left blank.

    Raises
    ------
    OptionError
        If there is no such annotator or label, or nothing to draw.

    See Also
    --------
    Fit.confusion : The numbers that are drawn.
    human_confusion : Confusion of people for each class.
    Evaluation.confusion : Which labels people and models confuse.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="multinomial")
    >>> ax = cs.plot.confusion(fit)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['fox', 'husky', 'malamute', 'samoyed', 'wolf']
    """
    tables, stated = _tables(confusion, annotator, prob)
    rows, columns = _labels(tables, labels, most)
    called = names_of_labels(names)
    size = max(len(rows), len(columns))
    cell = 0.72 if size <= _WITH_BOUNDS else 0.42
    if size > _WITH_NUMBERS:
        cell = 0.26
    wide = matrix_width(len(columns), cell)
    tall = len(rows) * cell / 0.3 + 3
    each = len(tables)
    drawn = several_axes(ax, each, rows=[tall] * each, widths=[wide] * each)
    for axes, (who, table) in zip(drawn, tables.items(), strict=True):
        _draw(axes, table, (rows, columns), called)
        if who:
            axes.set_title(shown(who), parse_math=False)
    if stated is not None and size <= _WITH_BOUNDS:
        note = f"given label (small: {percent(stated)} interval)"
        drawn[-1].set_xlabel(note)
    if len(drawn) == 1 and not isinstance(confusion, ComparedConfusion):
        return drawn[0]
    return drawn[0] if annotator is not None else np.array(drawn, dtype=object)


def _draw(
    ax: Axes,
    table: pd.DataFrame,
    labels: tuple[list[object], list[object]],
    called: Mapping[str, str],
) -> None:
    value, lower, upper = (
        _matrix(table, labels, column) for column in ("probability", "lower", "upper")
    )
    size = max(value.shape)
    fontsize = None
    if size <= _WITH_NUMBERS:
        fontsize = 9.0 if size <= _WITH_BOUNDS else 7.0
    cells = [[short_number(p) if p >= 0.005 else "" for p in row] for row in value]
    bounds = [
        [
            f"{short_number(low)} to {short_number(high)}"
            if size <= _WITH_BOUNDS and np.isfinite(low) and text
            else ""
            for low, high, text in zip(*row, strict=True)
        ]
        for row in zip(lower, upper, cells, strict=True)
    ]
    rows, columns = (
        [shown(called.get(str(label), label), 24) for label in each] for each in labels
    )
    draw_matrix(ax, Matrix(value, cells, rows, columns, bounds), fontsize=fontsize)
    ax.set_xlabel("given label")
    ax.set_ylabel("true label")


def _matrix(
    table: pd.DataFrame, labels: tuple[list[object], list[object]], column: str
) -> Float[np.ndarray, "R C"]:
    """Return a column of the table as a matrix; shares are zero where it has none."""
    ends = ["true_label", "given_label"]
    rows, columns = ([str(label) for label in each] for each in labels)
    if column not in table:
        return np.full((len(rows), len(columns)), np.nan)
    cells = table.astype(dict.fromkeys(ends, "str")).drop_duplicates(ends, keep="last")
    matrix = cells.pivot_table(column, ends[0], ends[1])
    matrix = matrix.reindex(index=rows, columns=columns)
    if column == "probability":  # of a row without cells nothing is stated
        matrix[matrix.notna().any(axis=1)] = matrix.fillna(0.0)
    return matrix.to_numpy(dtype=float)


def _tables(
    confusion: object, annotator: object, prob: float | None
) -> tuple[dict[str, pd.DataFrame], float | None]:
    """Return the tables to draw, by party, and the probability of their intervals."""
    if isinstance(confusion, Fit):
        table = confusion.with_(prob=prob).confusion()
        pooled, who = table["annotator"].isna(), table["annotator"].astype("str")
        stated = confusion.data.attrs["prob"] if prob is None else prob
        parties = {"": table[pooled]}
        if annotator is not None:
            parties = dict(iter(table[~pooled].groupby(who[~pooled])))
        return _chosen(parties, annotator, "annotator"), stated
    if prob is not None:
        raise OptionError(
            "plot.confusion: prob is for fits; give it to the analysis instead"
        )
    if isinstance(confusion, HumanConfusion):
        table = confusion.table(min_probability=0.005)
        return _chosen({"": table}, None, "annotator"), confusion.prob
    if isinstance(confusion, ComparedConfusion):
        table = confusion.table(min_probability=0.005)
        parties = {str(who): each for who, each in table.groupby("model", sort=False)}
        return _chosen(parties, annotator, "party"), confusion.prob
    if not isinstance(confusion, pd.DataFrame):
        expected = "a Fit, HumanConfusion, ComparedConfusion or table"
        raise OptionError(not_a("confusion", confusion, expected))
    if not {"true_label", "given_label", "probability"} <= {*confusion.columns}:
        raise OptionError(
            "plot.confusion: the table has the columns "
            f"{', '.join(map(str, confusion.columns))}; it needs true_label, "
            "given_label and probability"
        )
    return _chosen({"": confusion}, None, "annotator"), None


def _chosen(
    parties: dict[str, pd.DataFrame], wanted: object, what: str
) -> dict[str, pd.DataFrame]:
    """Return the party that is wanted, by default all of them."""
    if wanted is not None:
        if str(wanted) not in parties:
            raise OptionError(not_among(what, str(wanted), parties))
        return {str(wanted): parties[str(wanted)]}
    if "" in parties and parties[""].empty:
        raise OptionError(
            "plot.confusion: there is no confusion of all annotators together; name "
            "an annotator, or fit a model that has confusions"
        )
    return parties


def _labels(
    tables: dict[str, pd.DataFrame], labels: Sequence[object] | None, most: int
) -> tuple[list[object], list[object]]:
    """Return the true labels and the given ones to draw, in the order of the tables.

    They are the same, unless what is true has other names than what is answered, as
    *present* and *yes*.
    """
    table = pd.concat(tables.values(), ignore_index=True)
    true, given = (_in_order(table[name]) for name in ("true_label", "given_label"))
    if not {*true} & {*given}:
        return true, given
    order = _in_order(pd.concat([table["true_label"], table["given_label"]]))
    if labels is not None:
        for label in labels:
            if str(label) not in [*map(str, order)]:
                raise OptionError(not_among("label", str(label), map(str, order)))
        return list(labels), list(labels)
    if len(order) > most:
        wrong = table["true_label"].astype("str") != table["given_label"].astype("str")
        pairs = table[wrong].sort_values("probability", ascending=False)
        first = pairs[["true_label", "given_label"]].astype(object).to_numpy().ravel()
        kept = {*list(dict.fromkeys(first))[:most]}
        order = [name for name in order if name in kept]
    return order, order


def _in_order(column: pd.Series) -> list[object]:
    """Return what stands in a column, in the order of its categories."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.remove_unused_categories().cat.categories)
    return list(dict.fromkeys(column.astype(object)))


def posterior_labels(
    fit: Fit,
    items: Sequence[object] | None = None,
    *,
    most: int = 10,
    labels: int = 4,
    names: Names = None,
    prob: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot the posterior probability of the labels of items, with intervals.

    Parameters
    ----------
    fit : Fit
        A fit.
    items : sequence, optional
        Items to draw, from the top. By default the most uncertain ones, by entropy.
    most : int, default 10
        Number of items, where none are named.
    labels : int, default 4
        Largest number of labels of an item, the most probable first.
    names, prob, ax
        As of `confusion`.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each label, under the name of its item. An item's most probable label
        is filled. No interval is drawn where the engine states none.

    Raises
    ------
    OptionError
        If there is no such item, or no item at all.

    See Also
    --------
    Fit.labels : The numbers that are drawn.
    Fit.items : The best label of each item.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="multinomial")
    >>> ax = cs.plot.posterior_labels(fit, ["photo-001"], labels=2)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['photo-001', 'malamute', 'wolf']
    """
    wanted = _items(fit, items, most)
    table = fit.with_(prob=prob).labels()
    table = table.assign(item=table["item"].astype("str"))
    table = table.sort_values("probability", ascending=False, kind="stable")
    of_items = dict(iter(table[table["item"].isin(wanted)].groupby("item")))
    called = names_of_labels(names)
    texts: list[str] = []
    places: list[float] = []
    headings, parts, at = [], [], 0.0
    for item in wanted:
        best = of_items[item].head(labels)
        rows = at + 1 + np.arange(len(best), dtype=float)
        headings.append(len(texts))
        texts += [shown(item, LONGEST)]
        texts += [shown(called.get(str(label), label)) for label in best["label"]]
        places += [at, *rows]
        parts.append(best.assign(place=rows, first=rows == at + 1))
        at += float(1 + len(best) + _GAP)
    axes = new_axes(ax, rows=round(at), width=width_for(texts))
    set_rows(axes, texts, places)
    for place in headings:
        axes.get_yticklabels()[place].set_fontweight("bold")
    drawn = pd.concat(parts)
    for first, some in drawn.groupby("first", sort=False):
        face = COLOURS[0] if first else "none"
        estimates = Rows.of(some, "probability")
        draw_rows(axes, some["place"].to_numpy(), estimates, markerfacecolor=face)
    what = "P(present)" if fit.data.attrs["kind"] == "contains" else "probability"
    stated = percent(fit.data.attrs["prob"] if prob is None else prob)
    bounds = f" ({stated} interval)" if drawn["lower"].notna().any() else ""
    share_axis(axes, f"posterior {what}{bounds}")
    return axes


def _items(fit: Fit, items: Sequence[object] | None, most: int) -> list[str]:
    """Return the items to draw, as text."""
    table = fit.items()
    there = table["item"].astype("str")
    if items is None:
        order = np.argsort(-table["entropy"].to_numpy(dtype=float), kind="stable")
        if not len(order):
            raise OptionError("plot.posterior_labels: the fit has no items")
        return [str(name) for name in there.to_numpy()[order[:most]]]
    wanted = [str(items)] if isinstance(items, str) else [str(name) for name in items]
    for item in wanted:
        if not (there == item).any():
            raise OptionError(not_among("item", item, there.head(20)))
    return list(dict.fromkeys(wanted))
