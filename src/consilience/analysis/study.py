"""Shares of the items of a study: several objects, another main label, what goes along.

A share is of these very items, and its bounds are from the joint draws of the items,
which carry what is unknown of the parameters as well. (Where a model draws no objects,
bounds say how a share would vary with other items: the Bayesian bootstrap.) A model
with a likelihood speaks of all annotators that there might be; the rule `tsipras2020`
of the panel that answered, whose shares are inflated with few annotators for each item,
since a label that wins by chance is another label. Items that a study began with and
did not ask about count, where `of` or `per_class` says so, as one object under the data
set's own label.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), sections 4.1 and 4.2. Brown, Cai
and DasGupta (2001), for Jeffreys' interval.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy import special

from consilience.analysis.drawn_objects import (
    DrawnObjects,
    drawn_objects,
    other_main_label,
)
from consilience.analysis.proposals import labels_of
from consilience.errors import OptionError
from consilience.intervals import beta_bounds, bounds
from consilience.posterior import Fit
from consilience.posterior.labels import items as items_of
from consilience.posterior.loading import check_responses
from consilience.posterior.objects import object_table
from consilience.posterior.stored import JOINT_DRAWS
from consilience.responses import Responses
from consilience.responses.id_types import restores_types
from consilience.responses.tools.work import NONE

# How far off the shares of annotators who name objects are, all of a study together, in
# log-odds: too low by .1, and .1 more or less. Who answered are a sample of all, and no
# model is right. Chosen with 62 studies of four kinds from two generators that are not
# the model (30 and 150 items, five annotators each): 90 % intervals of the share of
# items with several objects hold .89 of the time, and .74 with neither.
LOW, OFF = 0.1, 0.1
type Counts = Float[np.ndarray, " W"]  # of items, in each joint draw
_HALF = 0.5


def study_summary(
    fit: Fit,
    responses: Responses,
    *,
    of: int | None = None,
    threshold: float = _HALF,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Estimate the shares of items with several objects and with another main label.

    Parameters
    ----------
    fit : Fit
        A fit of kind objects.
    responses : Responses
        The responses of the fit, with the data set's label of each item.
    of : int, optional
        Number of items in the study; by default those of the fit.
    threshold : float, default 0.5
        An object counts if more than this share of annotators name it, where the model
        has such a threshold; in steps of one hundredth.
    prob : float, default 0.9
        Probability of the intervals, which are of these very items. Where a fit has one
        draw of the parameters, as that of a rule, there are none; nor of
        `other_main_label`, which is too high where annotators are few.

    Returns
    -------
    pandas.DataFrame
        Columns statistic, value, lower, upper and items (the denominator).
        `several_objects` and `three_objects` (or more) of all items; `mean_objects`;
        `other_main_label` (the label that most would give as the main one is not the
        data set's) of the items of the fit that have a label of the data set, of those
        with several objects (`_several`) and of the others (`_single`).

    Raises
    ------
    OptionError
        If the fit is of another kind, no item has a label of the data set, or `of` is
        less than the number of items of the fit.

    See Also
    --------
    valid_labels : Number of valid labels by threshold.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, model="tsipras2020")
    >>> cs.analysis.study_summary(fit, study.responses)["statistic"].tolist()[:3]
    ['several_objects', 'three_objects', 'mean_objects']
    """
    items = _with_dataset_labels(fit, responses)
    answered = items[items["responses"] > 0]
    number = whole_study(len(answered), of)
    labels = labels_of(fit)
    dataset_label = labels.get_indexer(pd.Index(answered["dataset_label"]))
    judged = answered[["dataset_label", "main_label"]].notna().all(axis=1).to_numpy()
    stated_prob = bounded_at(fit, prob)
    stated, varied = (
        _shares_of_items(
            drawn_objects(fit, pd.Index(answered["item"]), labels, least),
            dataset_label,
            judged,
            number,
        )
        for least in (threshold, varied_threshold(fit, threshold))
    )
    table = pd.DataFrame(
        {"statistic": name, **share_drawn(*share, *varied[name], stated_prob)}
        for name, share in stated.items()
    )
    # Of five annotators an item, other main labels are too many by .10 in simulated
    # studies, and a third of their intervals held.
    of_main = table["statistic"].str.startswith("other_main_label")
    table.loc[of_main, ["lower", "upper"]] = np.nan
    return table


def _shares_of_items(
    truth: DrawnObjects,
    dataset_label: Int[np.ndarray, " I"],
    judged: Bool[np.ndarray, " I"],
    number: int,
) -> dict[str, tuple[Counts, Counts]]:
    """Return the part and the whole of each share, in each joint draw."""
    members = np.where(judged[:, None, None], truth.every, np.uint64(0))
    several, other = truth.at_least(2), other_main_label(truth, dataset_label)
    every = np.full(truth.items_with(several).shape, float(number))
    unasked = number - len(judged)  # of one object each
    among = {
        "other_main_label": members,
        "other_main_label_several": members & several,
        "other_main_label_single": members & ~several,
    }
    return {
        "several_objects": (truth.items_with(several), every),
        "three_objects": (truth.items_with(truth.at_least(3)), every),
        "mean_objects": (truth.total(truth.numbers) + unasked, every),
        **{
            name: (truth.items_with(other & of), truth.items_with(of))
            for name, of in among.items()
        },
    }


def share_drawn(
    part: Counts, whole: Counts, varied: Counts, of: Counts, prob: float | None
) -> dict[str, float]:
    """Return a share of these very items, and bounds from joint draws of them."""
    value, lower, upper = np.full(3, np.nan)
    if whole.any():
        value = part.sum() / whole.sum()
    if prob is not None and (of > 0).any():
        lower, upper = bounds(varied[of > 0] / of[of > 0], prob)
        lower, upper = min(lower, value), max(upper, value)
    items = round(float(whole.mean()))
    value, lower, upper = map(float, (value, lower, upper))
    return {"value": value, "lower": lower, "upper": upper, "items": items}


def _num_draws(fit: Fit) -> int:
    """Return the number of draws of the parameters; one of a rule."""
    if JOINT_DRAWS not in fit.data.children:
        return 1
    return fit.data[JOINT_DRAWS].sizes["parameter_draw"]


def bounded_at(fit: Fit, prob: float) -> float | None:
    """Return the probability of bounds; one draw does not tell what is unknown."""
    return prob if _num_draws(fit) > 1 else None


def varied_threshold(fit: Fit, threshold: float) -> Float[np.ndarray, " D"]:
    """Return the threshold at each draw of the parameters, as shares may be off."""
    draws = _num_draws(fit)
    steps = special.ndtri((np.arange(draws) + 0.5) / draws)
    steps = np.random.default_rng(0).permutation(LOW + OFF * steps)
    return special.expit(special.logit(threshold) - steps)


@restores_types
def cooccurring(
    fit: Fit,
    responses: Responses,
    *,
    per_class: int | None = None,
    min_items: int = 2,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Return which objects occur together with the items of a class, and how often.

    Parameters
    ----------
    fit, responses
        See `study_summary`.
    per_class : int, optional
        Number of items of each class in the study; by default those of the fit.
    min_items : int, default 2
        Pairs that occur together in fewer items are left out.
    prob : float, default 0.9
        Probability of the (Jeffreys) interval.

    Returns
    -------
    pandas.DataFrame
        Columns dataset_label, label (of an object that is not named by the class, in an
        item of several objects), together (items), items (of the class), share, lower
        and upper; the most frequent first.

    Raises
    ------
    OptionError
        If the fit is of another kind, or no item has a label of the data set.

    See Also
    --------
    human_confusion : Which labels people mistake for each other.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, model="tsipras2020")
    >>> cs.analysis.cooccurring(fit, study.responses, min_items=1).columns.tolist()[:4]
    ['dataset_label', 'label', 'together', 'items']
    """
    items = _with_dataset_labels(fit, responses)
    dataset_label = items.set_index("item")["dataset_label"].dropna()
    objects = object_table(fit.data, "objects").astype({"item": "str"})
    objects["code"] = objects["label"].cat.codes
    objects["label"] = objects["label"].astype("str")
    objects["dataset_label"] = dataset_label.reindex(objects["item"]).to_numpy()
    labelled = objects["dataset_label"].notna()
    there = objects[labelled & (objects["probability"] >= _HALF)]
    order = ["item", "object", "share", "code"]
    ordered = there.sort_values(order, ascending=[True, True, False, True])
    ordered = ordered[ordered["label"] != NONE]
    names = ordered.drop_duplicates(["item", "object"])
    # A lone object is the class's own, whatever it is called.
    several = names.groupby("item")["object"].transform("size") > 1
    other = names[several & (names["label"] != names["dataset_label"])]
    other = other.drop_duplicates(["item", "label"])
    pairs = other.groupby(["dataset_label", "label"]).size()
    table = pairs[pairs >= min_items].rename("together").reset_index()
    number = dataset_label.value_counts()
    table["items"] = per_class or number.reindex(table["dataset_label"]).to_numpy()
    table["share"] = table["together"] / table["items"]
    yes, whole = (table[name].to_numpy(float) for name in ("together", "items"))
    table["lower"], table["upper"] = beta_bounds(yes + 0.5, whole - yes + 0.5, prob)
    order = ["together", "dataset_label", "label"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _with_dataset_labels(fit: Fit, responses: Responses) -> pd.DataFrame:
    """Return the table items with the data set's label, all as plain text."""
    if fit.data.attrs["kind"] != "objects":
        raise OptionError(
            f"the fit is of kind {fit.data.attrs['kind']}; these are of kind objects"
        )
    check_responses(fit, responses)
    table = responses.items
    named = table is not None and "dataset_label" in table
    if table is None or not named or table["dataset_label"].isna().all():
        raise OptionError(
            "no item has a label of the data set; give responses whose table items has "
            "the columns item and dataset_label"
        )
    dataset_label = table.set_index(table["item"].astype("str"))["dataset_label"]
    items = items_of(fit.data).astype(
        {"item": "str", "label": "str", "main_label": "str"}
    )
    return items.assign(dataset_label=dataset_label.reindex(items["item"]).to_numpy())


def whole_study(asked: int, of: int | None) -> int:
    """Return the number of items of a study, of which some were not asked about."""
    if of is not None and of < asked:
        raise OptionError(
            f"of={of} is less than the {asked:,} items of the fit; give more"
        )
    return asked if of is None else of
