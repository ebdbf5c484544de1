"""Whether labels are right as often as was stated: a reliability diagram."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from consilience.errors import OptionError, not_a
from consilience.plots.drawing import (
    COLOURS,
    MARKERS,
    faint_lines,
    foreground,
    legend,
    new_axes,
    percent,
    shown,
)
from consilience.posterior import Fit
from consilience.posterior.results.labels import labels
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import gold_table
from consilience.scoring.reliability import BINS, reliability_table

_NEEDS = ("stated", "value", "lower", "upper")


def plot_calibration(
    calibration: Fit | pd.DataFrame,
    gold: pd.DataFrame | str | None = None,
    *,
    bins: int = BINS,
    prob: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot how often labels are right against the probability that was stated.

    Parameters
    ----------
    calibration : Fit or pandas.DataFrame
        A fit, whose labels are compared with gold labels; or the result of
        `model_calibration`, of one model or several.
    gold : pandas.DataFrame or path, optional
        Gold labels of items, as for `score` (a fit only).
    bins : int, default 10
        Largest number of bins, of about equal size (a fit only).
    prob : float, optional
        Probability of the intervals (a fit only); .9 by default.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes
        A point for each bin; on the diagonal, labels are right as often as was stated.
        The area of a point is in proportion to the number of its items.

    Raises
    ------
    OptionError
        If there is no gold for a fit, or the table is another.
    GoldError
        If gold has no item in common with the fit.

    See Also
    --------
    score : The calibration error (ece) and other metrics.
    model_calibration : The same of models, by the posterior of the truth.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> simulated = study(0, num_photos=30)
    >>> responses = cs.read(simulated.answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> gold = simulated.truth.set_axis(["item", "label"], axis=1)
    >>> ax = cs.plot_calibration(fit, gold, bins=4)
    >>> ax.get_ylabel()
    'share right (90 % interval)'
    """
    table, stated = _table(calibration, gold, bins, prob)
    axes = new_axes(ax, rows=14, width=4.6)
    axes.plot([0, 1], [0, 1], "--", color=foreground(), alpha=0.5, linewidth=1)
    largest = max(float(table["items"].max()), 1.0) if "items" in table else 1.0
    models = list(dict.fromkeys(table["model"])) if "model" in table else [None]
    for number, model in enumerate(models):
        theirs = table if model is None else table[table["model"] == model]
        colour = COLOURS[number % len(COLOURS)]
        at, value, lower, upper = (theirs[name].to_numpy(float) for name in _NEEDS)
        size = np.full(len(at), 40.0)
        if "items" in theirs:
            size = 15.0 + 85.0 * theirs["items"].to_numpy(float) / largest
        axes.vlines(at, lower, upper, color=colour, linewidth=1.4, zorder=2)
        axes.plot(at, value, "-", color=colour, linewidth=0.8, alpha=0.5, zorder=2)
        axes.scatter(
            at,
            value,
            s=size,
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            zorder=3,
            label=None if model is None else shown(model),
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("stated probability")
    axes.set_ylabel(
        "share right" + (f" ({percent(stated)} interval)" if stated else "")
    )
    faint_lines(axes, "both")
    if models != [None]:
        legend(axes, ncols=2)
    return axes


def _table(
    calibration: object,
    gold: pd.DataFrame | str | None,
    bins: int,
    prob: float | None,
) -> tuple[pd.DataFrame, float | None]:
    """Return what is drawn, and the probability of its intervals where it is stated."""
    if isinstance(calibration, Fit):
        if gold is None:
            msg = "plot_calibration: a fit is compared with gold labels; give gold"
            raise OptionError(msg)
        data, chance = calibration.data, 0.9 if prob is None else prob
        kind = data.attrs["kind"]
        truths = gold_table(gold, ReadOptions())
        table = reliability_table(
            labels(data), truths, kind=kind, bins=bins, prob=chance
        )
        return table, chance
    if not isinstance(calibration, pd.DataFrame):
        expected = "a Fit or the table of model_calibration"
        raise OptionError(not_a("calibration", calibration, expected))
    if not {*_NEEDS} <= {*calibration.columns} or calibration.empty:
        msg = (
            "plot_calibration: give a fit with gold labels, or the table of "
            f"model_calibration, with rows and the columns {', '.join(_NEEDS)}"
        )
        raise OptionError(msg)
    return calibration, None
