"""Ratings as numbers: means of the true ratings, of all items, of groups and of each.

A mean of answers carries the biases of those who answered. Here the truth of every item
is drawn jointly with the parameters, so that what is unknown of raters moves all items
together; and items are weighted anew for each draw (the Bayesian bootstrap), so that an
interval is that of the items' population. Groups are compared within draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.analysis.shares import Resampling
from consilience.errors import DataError, OptionError, not_a
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.stored import category, label_values, names
from consilience.posterior.truth import NUMBERS, candidates, state_draws
from consilience.responses.id_types import Types, restored, text_of
from consilience.responses.side_columns import paired

_DRAWS = 200  # of the truth
_ROUNDING = 1e-9


@shown_as("overall", "groups", "differences", title="MeanRatings")
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MeanRatings:
    """Means of the true ratings, with intervals.

    Attributes
    ----------
    overall : pandas.DataFrame
        Columns rating, lower, upper, answered and items, of all items: the mean of the
        true ratings, its interval, the mean of the answers, and how many items.
    groups : pandas.DataFrame
        The same of each group, in the column group; empty where none were given.
    differences : pandas.DataFrame
        Columns group, other_group, difference, lower, upper and higher: the probability
        that the mean of the first group is the higher one.
    items : pandas.DataFrame
        Columns item, rating (posterior mean), lower, upper, answered and responses. The
        true rating of the item lies between the bounds, which are labels.

    See Also
    --------
    mean_ratings : Compute them.

    Examples
    --------
    >>> import consilience as cs
    >>> ratings = [(1, "a", 4), (1, "b", 5), (2, "a", 1), (2, "b", 2), (3, "a", 3)]
    >>> answers = [dict(zip(["item", "annotator", "label"], row)) for row in ratings]
    >>> fit = cs.fit(answers, ordered=True, model="multinomial")
    >>> cs.analysis.mean_ratings(fit).items["responses"].tolist()
    [2, 2, 1]
    """

    overall: pd.DataFrame
    groups: pd.DataFrame
    differences: pd.DataFrame
    items: pd.DataFrame
    types: Types = field(default_factory=dict, repr=False)


def mean_ratings(
    fit: Fit,
    *,
    groups: pd.DataFrame | None = None,
    prob: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> MeanRatings:
    """Return the mean rating of all items, of groups of items, and of each item.

    Labels that are numbers are rated as they are; others by their places, from one.

    Parameters
    ----------
    fit : Fit
        A fit of ordered labels (``ordered=True``).
    groups : pandas.DataFrame, optional
        Columns item and group, such as the system that an item is from. An item may be
        in several groups; items without one count in `overall` only.
    prob : float, optional
        Probability of the intervals; by default that of the fit.
    resamples : int, default 1000
        Weightings of the items.
    seed : int, default 0
        Of draws and weightings.

    Returns
    -------
    MeanRatings
        Data frames `overall`, `groups`, `differences` and `items`.

    Raises
    ------
    OptionError
        If the labels of the fit are not ordered.
    DataError
        If `groups` lacks a column, or none of its items is in the fit.

    See Also
    --------
    Fit.draws : Joint draws of the truth, for any other number.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import consilience as cs
    >>> generator = np.random.default_rng(0)
    >>> truth = generator.integers(1, 6, 60)
    >>> rated = truth[:, None] + [0, 1, 0] + generator.normal(0, 0.5, (60, 3))
    >>> answers = pd.DataFrame(
    ...     {
    ...         "item": np.repeat(np.arange(60), 3),
    ...         "annotator": np.tile(["Ann", "Ben", "Cem"], 60),
    ...         "label": np.clip(np.rint(rated), 1, 5).astype(int).ravel(),
    ...     }
    ... )
    >>> fit = cs.fit(answers, ordered=True, model="ordinal_dawid_skene")
    >>> cs.analysis.mean_ratings(fit).overall[["mean_answer", "items"]].round(1)
       mean_answer  items
    0          3.4     60
    """
    data = fit.data
    if not data.attrs.get("ordered"):
        raise OptionError(
            "mean_ratings: the labels are not ordered; fit with `ordered=True`, or use "
            "consilience.rate for the share of a label such as pass"
        )
    value = label_values(names(data, "true_class"))
    items = data["constant_data"]["unit_item"].to_numpy()
    number = min(_DRAWS, max(NUMBERS // max(len(items), 1), 2))
    rating = value[state_draws(data, number, seed)]
    answered, responses = _answered(fit)
    prob = float(data.attrs["prob"]) if prob is None else prob
    resampling = Resampling(len(items), resamples, prob, seed)

    def mean(members: Float[np.ndarray, " I"]) -> Float[np.ndarray, " S"]:
        part, whole = rating * members, np.broadcast_to(members, rating.shape)
        return resampling.ratios(part[:, None], whole[:, None])[:, 0]

    def row(values: Float[np.ndarray, " S"], members: np.ndarray) -> dict[str, object]:
        stated = resampling.interval(values[:, None], "rating")
        seen = members & np.isfinite(answered)
        return {
            **{name: column[0] for name, column in stated.items()},
            "mean_answer": answered[seen].mean() if seen.any() else np.nan,
            "items": int(members.sum()),
        }

    everyone = np.ones(len(items), bool)
    of_groups = {} if groups is None else _members(groups, items)
    means = {name: mean(each.astype(float)) for name, each in of_groups.items()}
    rows = [{"group": name, **row(means[name], of_groups[name])} for name in means]
    columns = ["group", "rating", "lower", "upper", "mean_answer", "items"]
    marginal = candidates(data)
    return MeanRatings(
        overall=pd.DataFrame([row(mean(everyone.astype(float)), everyone)]),
        groups=pd.DataFrame(rows, columns=columns),
        differences=_differences(means, resampling),
        items=restored(
            pd.DataFrame(
                {
                    "item": category(np.arange(len(items)), items),
                    **_of_items(marginal.probability, value[marginal.state], prob),
                    "mean_answer": answered,
                    "responses": responses,
                }
            ),
            fit.types,
        ),
        types=fit.types,
    )


def _answered(fit: Fit) -> tuple[Float[np.ndarray, " I"], np.ndarray]:
    """Return the mean answer to each item, and how many answers it has."""
    observed, constant = fit.data["observed_data"], fit.data["constant_data"]
    given = label_values(names(fit.data, "given_class"))
    item, number = observed["item"].to_numpy(), observed["n"].to_numpy()
    units = constant.sizes["item"]
    total = np.bincount(item, number, units)
    summed = np.bincount(item, number * given[observed["answer"].to_numpy()], units)
    mean = np.divide(summed, total, out=np.full(units, np.nan), where=total > 0)
    return mean, total.astype(np.int64)


def _members(
    groups: pd.DataFrame, items: np.ndarray
) -> dict[str, Bool[np.ndarray, " I"]]:
    """Return which items are in each group."""
    if not isinstance(groups, pd.DataFrame):
        raise OptionError(not_a("groups", groups, "a data frame of items and groups"))
    named = {"item": items.astype(str)}
    groups = paired(groups, "groups", named, roles=("item", "group"))
    place = pd.Index(items.astype(str)).get_indexer(text_of(groups["item"]))
    if not (place >= 0).any():
        raise DataError(
            "groups: none of the items is in the fit; give the items by their ids"
        )
    name = np.array(text_of(groups["group"]), object)
    return {
        str(each): np.isin(np.arange(len(items)), place[name == each])
        for each in dict.fromkeys(name[place >= 0])
    }


def _differences(
    means: Mapping[str, Float[np.ndarray, " S"]], resampling: Resampling
) -> pd.DataFrame:
    """Return by how much the mean of one group is above that of another."""
    rows = []
    for one, other in combinations(means, 2):
        apart = (means[one] - means[other])[:, None]
        stated = resampling.interval(apart, "difference")
        rows.append(
            {
                "group": one,
                "other_group": other,
                **{name: column[0] for name, column in stated.items()},
                "p_greater": float((apart[1:] > 0).mean()),
            }
        )
    columns = ["group", "other_group", "difference", "lower", "upper", "p_greater"]
    return pd.DataFrame(rows, columns=columns)


def _of_items(
    probability: Float[np.ndarray, "I M"], value: Float[np.ndarray, "#I M"], prob: float
) -> dict[str, Float[np.ndarray, " I"]]:
    """Return the posterior mean of each item, and bounds that are ratings."""
    value = np.broadcast_to(value, probability.shape)
    order = np.argsort(value, 1)
    ranked = np.take_along_axis(value, order, 1)
    probable = np.nan_to_num(np.take_along_axis(probability, order, 1))
    below = probable.cumsum(1) / probable.sum(1, keepdims=True)
    tail = (1 - prob) / 2
    lower, upper = (
        np.take_along_axis(ranked, (below < at - _ROUNDING).sum(1)[:, None], 1)[:, 0]
        for at in (tail, 1 - tail)
    )
    mean = (probable * ranked).sum(1) / probable.sum(1)
    return {"rating": mean, "lower": lower, "upper": upper}
