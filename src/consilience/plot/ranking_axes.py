"""How good systems are by comparisons, the best on top, and which is better."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from consilience.comparisons import Ranking
from consilience.errors import OptionError, not_among
from consilience.tables.mpl import (
    Matrix,
    Rows,
    draw_matrix,
    draw_rows,
    faint_lines,
    matrix_width,
    new_axes,
    percent,
    set_rows,
    short_number,
    shown,
    width_for,
)

_CELL = 0.42  # inches of a cell with a number


def ranking(
    ranking: Ranking,
    what: Literal["scores", "wins"] = "scores",
    *,
    most: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Plot how good systems are by comparisons, the best on top.

    Parameters
    ----------
    ranking : consilience.comparisons.Ranking
        The result of `consilience.comparisons.fit`.
    what : {"scores", "wins"}, default "scores"
        The scores with their intervals; or a matrix of the probability that the system
        of the row is better than that of the column.
    most : int, default 40
        Largest number of systems: the best.
    ax
        As of `confusion`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; in brackets behind each name is the number of comparisons.

    Raises
    ------
    OptionError
        If there is no such plot.

    See Also
    --------
    consilience.comparisons.Ranking : The numbers that are drawn.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"first": [*"xyxz"], "second": [*"yxzy"], "winner": [*"xxxz"]}
    >>> ranking = cs.comparisons.fit(cs.comparisons.read(rows))
    >>> ax = cs.plot.ranking(ranking)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['x (3)', 'z (2)', 'y (3)']
    """
    if what not in ("scores", "wins"):
        raise OptionError(not_among("plot of a ranking", what, ("scores", "wins")))
    table = ranking.scores().iloc[:most]
    names = [
        f"{shown(name)} ({number:,})"
        for name, number in table[["system", "comparisons"]].to_numpy()
    ]
    size = len(names)
    if what == "scores":
        axes = new_axes(ax, rows=size, width=width_for(names))
        places = np.arange(size, dtype=float)
        draw_rows(axes, places, Rows.of(table, "score"))
        set_rows(axes, names, places)
        axes.set_xlabel(f"score, log-odds (mean, {percent(ranking.prob)} interval)")
        faint_lines(axes, "x")
        return axes
    pairs = ranking.differences().astype({"system": str, "other_system": str})
    order = table["system"].astype(str)
    better = pairs.pivot_table("p_greater", "system", "other_system")
    value = better.reindex(index=order, columns=order).to_numpy(dtype=float)
    cells = [[short_number(p) if np.isfinite(p) else "" for p in row] for row in value]
    columns = [shown(name, 20) for name in order]
    axes = new_axes(ax, rows=2 * size + 3, width=matrix_width(size, _CELL))
    draw_matrix(axes, Matrix(value, cells, names, columns), fontsize=7.0)
    axes.set_title("P(row is better than column)")
    return axes
