"""Shares of the items of a study: several objects, another main label, valid labels.

A share is of these very items, and its bounds are from the joint draws of the items,
which carry what is unknown of the parameters as well. (Where a model draws no objects,
bounds say how a share would vary with other items: the Bayesian bootstrap.) A model
with a likelihood speaks of all annotators that there might be; the rule `tsipras2020`
of the panel that answered, whose shares are inflated with few annotators for each item,
since a label that wins by chance is another label. Items that a study began with and
did not ask about count, where `of` or `per_class` says so, as one object under the data
set's own label.

Valid labels are counted by the share of annotators that must agree: with the
frequencies of `contains_counts`, with the drawn objects of `objects` (two names of one
thing counted once), and, for a rule about objects, with shares of the answers.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), sections 4.1 and 4.2. Brown, Cai
and DasGupta (2001), for Jeffreys' interval.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy import special
from scipy.stats import beta

from consilience.analysis.decisions import share_of_yes
from consilience.analysis.drawn_objects import (
    Bits,
    DrawnObjects,
    drawn_objects,
    other_main_label,
)
from consilience.analysis.proposals import labels_of
from consilience.analysis.selection import draw_probability_above
from consilience.analysis.shares import Resampling, Share
from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.posterior import Fit
from consilience.posterior.fit import check_responses
from consilience.posterior.labels import items as items_of
from consilience.posterior.objects import object_table
from consilience.posterior.stored import JOINT_DRAWS, stored
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.responses.id_types import as_texts, restores_types
from consilience.responses.tools.work import NONE

THRESHOLDS = (0.25, 0.5, 0.75)
MOST = 6
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
    tau: float = _HALF,
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
    tau : float, default 0.5
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
    >>> fit = cs.fit(study.responses, engine="em")
    >>> cs.analysis.study_summary(fit, study.responses)["statistic"].tolist()[:3]
    ['several_objects', 'three_objects', 'mean_objects']
    """
    items = _with_dataset_labels(fit, responses)
    answered = items[items["responses"] > 0]
    number = _whole(len(answered), of)
    labels = labels_of(fit)
    dataset_label = labels.get_indexer(pd.Index(answered["dataset_label"]))
    judged = answered[["dataset_label", "main_label"]].notna().all(axis=1).to_numpy()
    stated_prob = _stated_prob(fit, prob)
    stated, varied = (
        _shares_of_items(
            drawn_objects(fit, pd.Index(answered["item"]), labels, threshold),
            dataset_label,
            judged,
            number,
        )
        for threshold in (tau, _varied(fit, tau))
    )
    table = pd.DataFrame(
        {"statistic": name, **_share(*share, *varied[name], stated_prob)}
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


def _share(
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
    return {"value": value, "lower": lower, "upper": upper, "items": items}


def _num_draws(fit: Fit) -> int:
    """Return the number of draws of the parameters; one of a rule."""
    if JOINT_DRAWS not in fit.data.children:
        return 1
    return fit.data[JOINT_DRAWS].sizes["parameter_draw"]


def _stated_prob(fit: Fit, prob: float) -> float | None:
    """Return the probability of bounds; one draw does not tell what is unknown."""
    return prob if _num_draws(fit) > 1 else None


def _varied(fit: Fit, tau: float) -> Float[np.ndarray, " D"]:
    """Return the threshold at each draw of the parameters, as shares may be off."""
    draws = _num_draws(fit)
    steps = special.ndtri((np.arange(draws) + 0.5) / draws)
    steps = np.random.default_rng(0).permutation(LOW + OFF * steps)
    return special.expit(special.logit(tau) - steps)


def valid_labels(
    fit: Fit,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate how many labels, or objects, are valid at thresholds of agreement.

    Parameters
    ----------
    fit : Fit
        A fit of `contains_counts`, or of kind objects.
    thresholds : sequence of float
        Shares of annotators, between 0 and 1.
    resamples, prob, seed
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        Columns what (labels; for models of objects, objects and labels), threshold,
        statistic (`mean`, the number; `several`, the share of items with two or more),
        value, lower, upper and items.

    Raises
    ------
    OptionError
        If the fit is of another model, or a threshold is not between 0 and 1.

    See Also
    --------
    valid_label_counts : The distribution of the number.
    selection_frequencies : The distribution of selection frequencies.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> valid = cs.analysis.valid_labels(fit, [0.25, 0.75])
    >>> valid[["what", "threshold", "statistic"]].head(1)
          what  threshold statistic
    0  objects       0.25      mean
    """
    if JOINT_DRAWS in fit.data.children:
        rows = []
        for named, items, *drawn in _drawn(fit, thresholds):
            every = np.full(drawn[0][0].items_with(drawn[0][1][0]).shape, float(items))
            means = [truth.total(exact) for truth, exact in drawn]
            several = [
                truth.items_with(truth.at_least(2, exact)) for truth, exact in drawn
            ]
            for name, (part, varied) in (("mean", means), ("several", several)):
                share = _share(part, every, varied, every, _stated_prob(fit, prob))
                rows.append({**named, "statistic": name, **share})
        return pd.DataFrame(rows)
    counted = _count_labels(fit, thresholds, 2)
    how = Resampling(counted[0][2].shape[1], resamples, prob, seed)
    return how.table(
        Share(
            {"what": [what], "threshold": threshold, "statistic": statistic},
            part[:, None],
            np.ones_like(part)[:, None],
        )
        for what, threshold, mean, by_number in counted
        for statistic, part in (("mean", mean), ("several", by_number[:, 2]))
    )


def valid_label_counts(
    fit: Fit,
    thresholds: Sequence[float] = (0.5,),
    *,
    of: int | None = None,
    most: int = MOST,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate the distribution of the number of valid labels, or objects, of an item.

    Parameters
    ----------
    fit, thresholds, resamples, prob, seed
        See `valid_labels`.
    of : int, optional
        Number of items in the study; by default those of the fit. The others count as
        having one label.
    most : int, default 6
        The last number, which stands for itself and more.

    Returns
    -------
    pandas.DataFrame
        Columns what and threshold as in `valid_labels`, number (0 to `most`), value
        (the share of items), lower, upper and items.

    Raises
    ------
    OptionError
        As `valid_labels`, or if `of` is less than the number of items of the fit.

    See Also
    --------
    valid_labels : The mean number, and the share with several.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.analysis.valid_label_counts(fit)
    >>> float(table.loc[table["what"] == "objects", "value"].sum().round(6))
    1.0
    """
    if JOINT_DRAWS in fit.data.children:
        rows = []
        for named, items, *drawn in _drawn(fit, thresholds):
            whole = _whole(items, of)
            for number in range(most + 1):
                part, varied = (
                    truth.items_with(_exactly(truth, exact, number, most))
                    + (whole - items) * (number == 1)
                    for truth, exact in drawn
                )
                every = np.full(part.shape, float(whole))
                share = _share(part, every, varied, every, _stated_prob(fit, prob))
                rows.append({**named, "number": number, **share})
        return pd.DataFrame(rows)
    counted = _count_labels(fit, thresholds, most)
    asked = counted[0][2].shape[1]
    how = Resampling(_whole(asked, of), resamples, prob, seed)
    shares = []
    for what, threshold, _, by_number in counted:
        rest = np.zeros((*by_number.shape[:2], how.items - asked))
        rest[:, 1] = 1.0
        part = np.concatenate([by_number, rest], axis=2)
        named = {"what": what, "threshold": threshold, "number": range(most + 1)}
        shares.append(Share(named, part, np.ones_like(part)))
    return how.table(shares)


def rival_labels(
    fit: Fit,
    dataset_labels: pd.DataFrame,
    *,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return on which share of items another label gets yes as often as the data set's.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains. Its answers are used, whatever its model.
    dataset_labels, resamples, prob, seed
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        One row: statistic (another_label_as_often), value, lower, upper and items (on
        which people were asked about the data set's label). With few raters, chance
        makes rivals.

    Raises
    ------
    KindError, OptionError
        If the fit is of another kind, or nobody was asked about the data set's labels.

    See Also
    --------
    valid_label_counts : How many labels are valid.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="majority")
    >>> asked = fit.labels().drop_duplicates("item")
    >>> int(cs.analysis.rival_labels(fit, asked)["items"].iloc[0])
    20
    """
    shares = share_of_yes(fit)
    listed = as_texts(dataset_labels[["item", "label"]].dropna())
    of_dataset = shares.index.isin(pd.MultiIndex.from_frame(listed))
    if not of_dataset.any():
        raise OptionError("nobody was asked about the data set's label of any item")
    mine = shares[of_dataset].droplevel(1)
    others = shares[~of_dataset].groupby(level=0).max().reindex(mine.index)
    rival = (others >= mine).to_numpy(float)[None, None]
    how = Resampling(len(mine), resamples, prob, seed)
    named = {"statistic": ["another_label_as_often"]}
    return how.table([Share(named, rival, np.ones_like(rival))])


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
        Columns class_label, label (of an object that is not named by the class, in an
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
    >>> fit = cs.fit(study.responses, engine="em")
    >>> cs.analysis.cooccurring(fit, study.responses, min_items=1).columns.tolist()[:4]
    ['class_label', 'label', 'together', 'items']
    """
    items = _with_dataset_labels(fit, responses)
    dataset_label = items.set_index("item")["dataset_label"].dropna()
    objects = object_table(fit.data, "objects").astype({"item": "str"})
    objects["code"] = objects["label"].cat.codes
    objects["label"] = objects["label"].astype("str")
    objects["class_label"] = dataset_label.reindex(objects["item"]).to_numpy()
    there = objects[(objects["probability"] >= _HALF) & objects["class_label"].notna()]
    order = ["item", "object", "share", "code"]
    ordered = there.sort_values(order, ascending=[True, True, False, True])
    ordered = ordered[ordered["label"] != NONE]
    names = ordered.drop_duplicates(["item", "object"])
    # A lone object is the class's own, whatever it is called.
    several = names.groupby("item")["object"].transform("size") > 1
    other = names[several & (names["label"] != names["class_label"])]
    by_pair = other.drop_duplicates(["item", "label"]).groupby(["class_label", "label"])
    pairs = by_pair.size()
    table = pairs[pairs >= min_items].rename("together").reset_index()
    number = dataset_label.value_counts()
    table["items"] = per_class or number.reindex(table["class_label"]).to_numpy()
    table["share"] = table["together"] / table["items"]
    tail, hit = (1 - prob) / 2, table["together"] + 0.5
    miss = table["items"] - table["together"] + 0.5
    table["lower"] = beta.ppf(tail, hit, miss)
    table["upper"] = beta.ppf(1 - tail, hit, miss)
    order = ["together", "class_label", "label"]
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


def _whole(asked: int, of: int | None) -> int:
    if of is not None and of < asked:
        raise OptionError(
            f"of={of} is less than the {asked:,} items of the fit; give more"
        )
    return asked if of is None else of


def _count_labels(
    fit: Fit, thresholds: Sequence[float], most: int
) -> list[tuple[str, float, Float[np.ndarray, "D I"], Float[np.ndarray, "D K I"]]]:
    """Return how many objects, or labels, and P(so many); the last is that or more."""
    counted = []
    for threshold in thresholds:
        _check_threshold(threshold)
        item, chance = _of_labels(fit, threshold)
        mean = np.stack([np.bincount(item, each) for each in chance])
        by_number = np.stack([_distribution(item, each, most) for each in chance])
        counted.append(("labels", threshold, mean, by_number))
    return counted


def _drawn(fit: Fit, thresholds: Sequence[float]) -> Iterator[tuple[Any, ...]]:
    """Give names, the number of items, and draws: as fitted, and as they may be off."""
    items = items_of(fit.data)
    asked = pd.Index(items.loc[items["responses"] > 0, "item"].astype("str"))
    for threshold in thresholds:
        _check_threshold(threshold)
        both = [
            drawn_objects(fit, asked, labels_of(fit), tau)
            for tau in (threshold, _varied(fit, threshold))
        ]
        for what, name in (("objects", "numbers"), ("labels", "names")):
            named = {"what": what, "threshold": threshold}
            yield named, len(asked), *((each, getattr(each, name)) for each in both)


def _exactly(
    truth: DrawnObjects, exact: tuple[Bits, ...], number: int, most: int
) -> Bits:
    """Return the draws in which an item has so many; the most stand for more, too."""
    bits = truth.at_least(number, exact)
    return bits if number == most else bits & ~truth.at_least(number + 1, exact)


def _check_threshold(threshold: float) -> None:
    if not 0 < threshold < 1:
        raise OptionError(f"threshold {threshold} is not a share between 0 and 1")


def _of_labels(
    fit: Fit, threshold: float
) -> tuple[Int[np.ndarray, " P"], Float[np.ndarray, "D P"]]:
    """Return the item of each label, and P(so many agree on it) by draw."""
    if fit.data.attrs["kind"] != "objects":
        names, drawn = draw_probability_above(fit, threshold)
        return pd.factorize(names["item"])[0].astype(np.int64), drawn
    shares = stored(fit.data, "labels")
    if shares is None or "named" not in shares:
        raise OptionError(
            "the fit holds neither drawn objects nor shares of answers; fit again"
        )
    reached = shares["named"].to_numpy() >= threshold
    item = pd.factorize(shares["item"])[0].astype(np.int64)
    return item, reached.astype(float)[None]


def _distribution(
    item: Int[np.ndarray, " P"], chance: Float[np.ndarray, " P"], most: int
) -> Float[np.ndarray, "K I"]:
    """Return P(so many labels of each item) of independent labels."""
    order = np.argsort(item, kind="stable")
    place = places_within(np.bincount(item))
    shares = np.zeros((most + 1, int(item.max()) + 1))
    shares[0] = 1.0
    for rank in range(int(place.max()) + 1):
        rows = order[place == rank]
        hit, before = chance[rows], shares[:, item[rows]]
        after = before * (1 - hit)
        after[1:] += before[:-1] * hit
        after[-1] += before[-1] * hit
        shares[:, item[rows]] = after
    return shares
