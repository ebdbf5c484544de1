"""Observed answers against those that the fit would give."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from consilience.analysis import predictive_checks
from consilience.errors import OptionError, not_a, not_among
from consilience.posterior import Fit
from consilience.posterior.labels import labels
from consilience.responses.options import ReadOptions
from consilience.responses.side_columns import named_in
from consilience.responses.side_tables import gold_table
from consilience.scoring.item_metrics import BINS, reliability_table
from consilience.tables import CATALOGUE
from consilience.tables.mpl import (
    COLOURS,
    LONGEST,
    MARKERS,
    Names,
    Rows,
    draw_rows,
    faint_lines,
    foreground,
    legend,
    names_of_labels,
    new_axes,
    percent,
    set_rows,
    several_axes,
    shown,
    width_for,
)

_ALL = {"agreement": "all pairs", "votes": "mean share", "errors": "all labels"}
_TITLES = CATALOGUE["predictive_checks"].column("check").values
EXTREME = 0.05  # adjusted p-values below are marked
_NEEDS = ("stated", "value", "lower", "upper")


def ppc(
    checks: Fit | pd.DataFrame,
    check: str | None = None,
    *,
    most: int = 15,
    names: Names = None,
    prob: float | None = None,
    seed: int = 0,
    ax: Any = None,
) -> Any:
    """Plot posterior predictive checks: observed answers against replicated ones.

    Parameters
    ----------
    checks : Fit or pandas.DataFrame
        A fit of kind choice or contains, or the result of `predictive_checks`.
    check : {"agreement", "votes", "errors"}, optional
        The check to draw; by default all, one above the other.
    most : int, default 15
        Largest number of rows of a check: those with the most extreme p-values.
    names
        As of `confusion`.
    prob : float, optional
        Probability of the intervals (a fit only); by default that of the fit.
    seed : int, default 0
        Seed of the replicates (a fit only).
    ax : matplotlib.axes.Axes or several of them, optional
        Axes to draw on, one for each check; by default new ones.

    Returns
    -------
    matplotlib.axes.Axes, or an array of them
        Lines are intervals of replicated values. Observed values are circles, filled
        where the adjusted p-value is below .05: the model does not reproduce them.

    Raises
    ------
    OptionError
        If there is no such check, or the model has no tables to draw answers from.

    See Also
    --------
    predictive_checks : The numbers that are drawn.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> ax = cs.plot.ppc(fit, "votes")
    >>> ax.get_yticklabels()[0].get_text()
    'mean share'
    """
    table, stated = _table(checks, prob, seed)
    there = list(dict.fromkeys(table["check"]))
    if check is not None:
        if check not in there:
            raise OptionError(not_among("check", check, there))
        there = [check]
    parts = {name: _rows(table[table["check"] == name], name, most) for name in there}
    called = names_of_labels(names)
    texts = {
        name: [_name(row, name, called) for row in part.to_dict("records")]
        for name, part in parts.items()
    }
    rows = [len(part) + 1.5 for part in parts.values()]
    widths = [width_for(each) for each in texts.values()]
    drawn = several_axes(ax, len(parts), rows=rows, widths=widths)
    for axes, (name, part) in zip(drawn, parts.items(), strict=True):
        _draw(axes, name, part, texts[name])
    interval = "replicated, mean and interval"
    if stated is not None:
        interval = f"replicated, mean and {percent(stated)} interval"
    drawn[-1].set_xlabel(f"share ({interval})")
    legend(drawn[0], bbox_to_anchor=(0, 1.0), ncols=3)
    drawn[0].set_title(drawn[0].get_title(), pad=22)
    return drawn[0] if check is not None else np.array(drawn, dtype=object)


def _table(
    checks: object, prob: float | None, seed: int
) -> tuple[pd.DataFrame, float | None]:
    if isinstance(checks, Fit):
        fit = checks.with_(prob=prob)
        return predictive_checks(fit, seed=seed), float(fit.data.attrs["prob"])
    needs = ("check", "observed", "replicated")
    return _given(checks, "checks", "predictive_checks", needs), None


def _given(
    table: object, argument: str, source: str, needs: tuple[str, ...]
) -> pd.DataFrame:
    """Return a table that a caller gives in the place of a fit, or refuse it."""
    if not isinstance(table, pd.DataFrame):
        raise OptionError(not_a(argument, table, f"a Fit or the table of {source}"))
    if not {*needs} <= {*table.columns} or table.empty:
        raise OptionError(
            f"{argument}: give a fit, or the table of {source}, with rows and the "
            f"columns {', '.join(needs)}"
        )
    return table


def _rows(table: pd.DataFrame, name: str, most: int) -> pd.DataFrame:
    """Return the row about all, then the most extreme ones; votes in their order."""
    first, others = table.head(1), table.iloc[1:]
    if name != "votes":
        far = (others["p"] - 0.5).abs()
        others = others.iloc[np.argsort(-far.to_numpy(float), kind="stable")[:most]]
    return pd.concat([first, others])


def _name(row: dict[Any, Any], check: str, called: Any) -> str:
    if check == "votes":
        share = row["share"]
        return _ALL[check] if pd.isna(share) else f"{100 * share:.0f} % of the answers"
    columns = ("annotator", "other_annotator") if check == "agreement" else ("label",)
    if pd.isna(row[columns[0]]):
        return _ALL[check]
    longest = LONGEST // len(columns)
    texts = [shown(called.get(str(row[c]), row[c]), longest) for c in columns]
    return f"{' and '.join(texts)} ({row['n']:,})"


def _draw(ax: Axes, check: str, table: pd.DataFrame, names: list[str]) -> None:
    places = np.arange(len(table), dtype=float)
    set_rows(ax, names, places)
    replicated = Rows.of(table, "replicated")
    draw_rows(ax, places, replicated, label="replicated", marker="|", markersize=9)
    observed = table["observed"].to_numpy(float)
    extreme = table["adjusted_p"].to_numpy(float) < EXTREME
    how: dict[str, Any] = {"color": COLOURS[1], "markersize": 6, "zorder": 4}
    for some, filled, label in (
        (~extreme, "none", "observed"),
        (extreme, COLOURS[1], f"p < {EXTREME:g}"),
    ):
        how |= {"markerfacecolor": filled, "label": label}
        ax.plot(observed[some], places[some], "o", **how)
    ax.set_title(_TITLES.get(check, check), loc="left", fontsize="medium")
    faint_lines(ax, "x")


def calibration(
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
        `Evaluation.calibration`, of one model or several.
    gold : pandas.DataFrame or path, optional
        Gold labels of items, as for `score` (a fit only).
    bins : int, default 10
        Largest number of bins, of about equal size (a fit only).
    prob : float, optional
        Probability of the intervals (a fit only); .9 by default.
    ax
        As of `confusion`.

    Returns
    -------
    matplotlib.axes.Axes
        A point for each bin; on the diagonal, labels are right as often as was stated.
        The area of a point is in proportion to the number of its items.

    Raises
    ------
    OptionError
        If there is no gold for a fit, or the table is another.
    DataError
        If gold has no item in common with the fit.

    See Also
    --------
    score : The calibration error (ece) and other metrics.
    Evaluation.calibration : The same of models, by the posterior of the truth.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> simulated = study(0, num_photos=30)
    >>> responses = cs.read(simulated.answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> gold = simulated.truth.set_axis(["item", "label"], axis=1)
    >>> ax = cs.plot.calibration(fit, gold, bins=4)
    >>> ax.get_ylabel()
    'share right (90 % interval)'
    """
    table, stated = _calibration_table(calibration, gold, bins, prob)
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


def _calibration_table(
    calibration: object, gold: pd.DataFrame | str | None, bins: int, prob: float | None
) -> tuple[pd.DataFrame, float | None]:
    """Return what is drawn, and the probability of its intervals where it is stated."""
    if isinstance(calibration, Fit):
        if gold is None:
            raise OptionError(
                "plot.calibration: a fit is compared with gold labels; give gold"
            )
        data, chance = calibration.data, 0.9 if prob is None else prob
        kind = data.attrs["kind"]
        stated = labels(data)
        truths = gold_table(gold, ReadOptions(), named_in(stated))
        table = reliability_table(stated, truths, kind=kind, bins=bins, prob=chance)
        return table, chance
    return _given(calibration, "calibration", "Evaluation.calibration", _NEEDS), None
