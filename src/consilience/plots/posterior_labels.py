"""What the true labels of items are: probabilities with intervals, item by item."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from consilience.errors import OptionError, not_among
from consilience.plots.drawing import (
    COLOURS,
    LONGEST,
    Names,
    Rows,
    draw_rows,
    names_of_labels,
    new_axes,
    percent,
    set_rows,
    share_axis,
    shown,
    width_for,
)
from consilience.posterior import Fit

_GAP = 0.6  # rows between two items


def plot_posterior_labels(
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
    names : Responses or pandas.DataFrame, optional
        What labels are called: responses, or a table with the columns label and name.
    prob : float, optional
        Probability of the intervals; by default that of the fit.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default new ones.

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
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> ax = cs.plot_posterior_labels(fit, ["photo-001"], labels=2)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['photo-001', 'malamute', 'wolf']
    """
    wanted = _items(fit, items, most)
    table = fit.labels(prob=prob)
    name = table["item"].astype("str")
    table = table[name.isin(wanted)].assign(item=name)
    table = table.sort_values("probability", ascending=False, kind="stable")
    table = table.groupby("item", sort=False).head(labels)
    called = names_of_labels(names)
    ticks: list[tuple[float, str, bool]] = []
    parts, at = [], 0.0
    for item in wanted:
        theirs = table[table["item"] == item]
        ticks.append((at, shown(item, LONGEST), True))
        places = at + 1 + np.arange(len(theirs), dtype=float)
        ticks += [
            (float(place), shown(called.get(str(label), label)), False)
            for place, label in zip(places, theirs["label"], strict=True)
        ]
        parts.append(theirs.assign(place=places, best=np.arange(len(theirs)) == 0))
        at = float(at + 1 + len(theirs) + _GAP)
    texts = [text for _, text, _ in ticks]
    axes = new_axes(ax, rows=round(at), width=width_for(texts))
    set_rows(axes, texts, [place for place, _, _ in ticks])
    for text, (_, _, heading) in zip(axes.get_yticklabels(), ticks, strict=True):
        text.set_fontweight("bold" if heading else "normal")
    drawn = pd.concat(parts)
    for best in (True, False):
        some = drawn[drawn["best"] == best]
        if len(some):
            face = COLOURS[0] if best else "none"
            rows, places = Rows.of(some, "probability"), some["place"].to_numpy()
            draw_rows(axes, places, rows, markerfacecolor=face)
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
            msg = "plot_posterior_labels: the fit has no items"
            raise OptionError(msg)
        return [str(name) for name in there.to_numpy()[order[:most]]]
    wanted = [str(items)] if isinstance(items, str) else [str(name) for name in items]
    for item in wanted:
        if not (there == item).any():
            raise OptionError(not_among("item", item, there.head(20)))
    return list(dict.fromkeys(wanted))
