"""Observed answers against those that the fit would give."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from consilience.analysis import predictive_checks
from consilience.errors import OptionError, not_a, not_among
from consilience.plots.drawing import (
    COLOURS,
    LONGEST,
    Names,
    Rows,
    draw_rows,
    faint_lines,
    legend,
    names_of_labels,
    percent,
    set_rows,
    several_axes,
    shown,
    width_for,
)
from consilience.posterior import Fit

_TITLES = {
    "agreement": "equal answers of pairs of annotators",
    "votes": "items by the share of the most voted label",
    "errors": "answers that differ from the truth, by label",
}
_ALL = {
    "agreement": "all pairs",
    "votes": "mean share",
    "errors": "all labels",
}
EXTREME = 0.05  # adjusted p-values below are marked


def plot_ppc(
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
    names : Responses or pandas.DataFrame, optional
        What labels are called: responses, or a table with the columns label and name.
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
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> ax = cs.plot_ppc(fit, "votes")
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
        fit = checks if prob is None else checks.with_prob(prob)
        return predictive_checks(fit, seed=seed), float(fit.data.attrs["prob"])
    if not isinstance(checks, pd.DataFrame):
        expected = "a Fit or the table of predictive_checks"
        raise OptionError(not_a("checks", checks, expected))
    if not {"check", "observed", "replicated"} <= {*checks.columns} or checks.empty:
        msg = (
            "plot_ppc: give a fit, or the table of predictive_checks, with rows and "
            "the columns check, observed and replicated"
        )
        raise OptionError(msg)
    return checks, None


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
    columns = ("annotator", "other") if check == "agreement" else ("label",)
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
    for some, filled, label in (
        (~extreme, "none", "observed"),
        (extreme, COLOURS[1], f"p < {EXTREME:g}"),
    ):
        ax.plot(
            observed[some],
            places[some],
            "o",
            color=COLOURS[1],
            markerfacecolor=filled,
            markersize=6,
            zorder=4,
            label=label,
        )
    ax.set_title(_TITLES.get(check, check), loc="left", fontsize="medium")
    faint_lines(ax, "x")
