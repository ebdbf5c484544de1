"""Shares of the items of a study: several objects, another main label, valid labels.

A share is what is expected of the items, given the fit: the mean of probabilities, each
from the joint draws of the items. Of whom it speaks depends on the fit. A model with a
likelihood speaks of all annotators that there might be: an item holds *several objects*
where more than `tau` of them would name each of two, and has *another main label* where
the label that most of them give as the main one is not the data set's. The rule
`tsipras2020` speaks of the panel that answered, whose votes it takes for facts; with
few annotators for each item its shares are inflated, since a label that wins by chance
is another label. What a panel of so many annotators would find is predicted by
the table `panels`, and by `HumanConfusion.panels`. `evaluate` has the same items in its
subsets, in the same draws. Items that a study began with and did not ask about count,
where `of` says that there are such, as one object under the data set's own label.

**Valid labels.** Asked of each label alone (contains), most items have several valid
labels, since people say yes to whatever could be meant; asked to name what they see
(objects), people name fewer. Both are given by the share of annotators that must agree:
with the frequencies of `contains_counts`, with the drawn objects of `objects` (two
names of one thing counted once), and, for a rule about objects, with shares of the
answers.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), sections 4.1 and 4.2, whose
figures these are. Rubin (1981), The Bayesian bootstrap, for the bounds.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.decisions import vote_shares
from consilience.analysis.drawn_objects import drawn_objects, other_main_label
from consilience.analysis.label_pairs import with_dataset_labels
from consilience.analysis.proposals import labels_of
from consilience.analysis.selection import draw_probability_above
from consilience.analysis.shares import Resampling, Share
from consilience.errors import KindError, OptionError
from consilience.posterior import Fit
from consilience.posterior.labels import items as items_of
from consilience.posterior.stored import stored
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.responses.tables.id_types import as_texts

THRESHOLDS = (0.25, 0.5, 0.75)
MOST = 6
_HALF = 0.5
type _Counted = tuple[Float[np.ndarray, "D I"], Float[np.ndarray, "D K I"]]


def study_summary(
    fit: Fit,
    responses: Responses,
    *,
    of: int | None = None,
    tau: float = _HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
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
    resamples, prob, seed
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        One row per statistic: statistic, value, lower, upper and items (its
        denominator). `several_objects` and `three_objects` (or more) of all items;
        `mean_objects`; `other_main_label` (the label that most annotators would give as
        the main one is not the data set's) of the items of the fit that have a label of
        the data set, of those with several objects (`_several`) and of the others
        (`_single`).

    Raises
    ------
    OptionError
        If the fit is of another kind, no item has a label of the data set, or `of` is
        less than the number of items of the fit.

    See Also
    --------
    valid_labels : Number of valid labels by threshold.

    References
    ----------
    Rubin (1981), The Bayesian bootstrap. Tsipras et al. (2020), From ImageNet to image
    classification: contextualizing progress on benchmarks.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> cs.study_summary(fit, study.responses)["statistic"].tolist()[:3]
    ['several_objects', 'three_objects', 'mean_objects']
    """
    items = with_dataset_labels(fit, responses)
    answered = items[items["responses"] > 0]
    how = Resampling(_whole(len(answered), of), resamples, prob, seed)
    labels = labels_of(fit)
    truth = drawn_objects(fit, pd.Index(answered["item"]), labels, tau)
    dataset_label = labels.get_indexer(pd.Index(answered["dataset_label"]))
    judged = answered[["dataset_label", "main_label"]].notna().all(axis=1).to_numpy()
    several, other = truth.at_least(2), other_main_label(truth, dataset_label)
    many, three, both, any_other = map(
        truth.probability, (several, truth.at_least(3), several & other, other)
    )
    mean, every = truth.expected(truth.numbers), np.ones_like(many)
    # The part and the whole, and what an item adds to each that nobody was asked about.
    shares = {
        "several_objects": (many, every, 0, 1),
        "three_objects": (three, every, 0, 1),
        "mean_objects": (mean, every, 1, 1),
        "other_main_label": (any_other * judged, every * judged, 0, 0),
        "other_main_label_several": (both * judged, many * judged, 0, 0),
        "other_main_label_single": (
            (any_other - both) * judged,
            (1 - many) * judged,
            0,
            0,
        ),
    }
    return how.table(
        Share(
            {"statistic": [name]},
            _padded(part, how.items, of_rest[0]),
            _padded(whole, how.items, of_rest[1]),
        )
        for name, (part, whole, *of_rest) in shares.items()
    )


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
    study_summary : Shares of items with several objects.
    selection_frequencies : The distribution of selection frequencies.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.valid_labels(fit, [0.25, 0.75])
    >>> table[["what", "threshold", "statistic"]].head(4)
          what  threshold statistic
    0  objects       0.25      mean
    1  objects       0.25   several
    2   labels       0.25      mean
    3   labels       0.25   several
    """
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
    fit : Fit
        A fit of `contains_counts`, or of kind objects.
    thresholds : sequence of float
        Shares of annotators, between 0 and 1.
    of : int, optional
        Number of items in the study; by default those of the fit. The others count as
        having one label.
    most : int, default 6
        The last number, which stands for itself and more.
    resamples, prob, seed
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        Columns what (labels; for models of objects, objects and labels), threshold,
        number (0 to `most`), value (the share of items), lower, upper and items.

    Raises
    ------
    OptionError
        If the fit is of another model, a threshold is not between 0 and 1, or `of` is
        less than the number of items of the fit.

    See Also
    --------
    valid_labels : The mean number, and the share with several.

    References
    ----------
    Tsipras et al. (2020), From ImageNet to image classification: contextualizing
    progress on benchmarks, section 4.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.valid_label_counts(fit)
    >>> float(table.loc[table["what"] == "objects", "value"].sum().round(6))
    1.0
    """
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
    dataset_labels : pandas.DataFrame
        Columns item and label: the label of each item in the data set, one each.
    resamples, prob, seed
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        One row: statistic (another_label_as_often), value, lower, upper and items
        (on which people were asked about the data set's label). A share of answers:
        with few raters, chance makes rivals.

    Raises
    ------
    KindError
        If the fit is of another kind.
    OptionError
        If nobody was asked about the data set's label of any item.

    See Also
    --------
    valid_label_counts : How many labels are valid.

    References
    ----------
    Tsipras et al. (2020), From ImageNet to image classification: contextualizing
    progress on benchmarks, section 4.2.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {
    ...         "item": ["a", "a", "a", "a", "b", "b"],
    ...         "label": ["tub", "tub", "bath", "bath", "tub", "bath"],
    ...         "annotator": ["Ada", "Ben", "Ada", "Ben", "Ada", "Ada"],
    ...         "answer": ["yes", "no", "yes", "yes", "yes", "no"],
    ...     }
    ... )
    >>> fit = cs.fit(cs.read(answers), model="majority")
    >>> labels = pd.DataFrame({"item": ["a", "b"], "label": "tub"})
    >>> cs.rival_labels(fit, labels)[["statistic", "value", "items"]]
                    statistic  value  items
    0  another_label_as_often    0.5      2
    """
    if fit.data.attrs["kind"] != "contains":
        msg = (
            f"the fit is of kind {fit.data.attrs['kind']}; rivals need answers of kind "
            "contains"
        )
        raise KindError(msg)
    constant = fit.data["constant_data"]
    pairs = pd.MultiIndex.from_arrays(
        [constant[name].to_numpy().astype(str) for name in ("unit_item", "unit_label")]
    )
    answered = constant["num_responses"].to_numpy() > 0
    shares = pd.Series(vote_shares(fit), pairs)[answered]
    listed = as_texts(dataset_labels[["item", "label"]].dropna())
    of_dataset = shares.index.isin(pd.MultiIndex.from_frame(listed))
    if not of_dataset.any():
        msg = "nobody was asked about the data set's label of any item"
        raise OptionError(msg)
    mine = shares[of_dataset].droplevel(1)
    others = shares[~of_dataset].groupby(level=0).max().reindex(mine.index)
    rival = (others >= mine).to_numpy(float)[None, None]
    how = Resampling(len(mine), resamples, prob, seed)
    named = {"statistic": ["another_label_as_often"]}
    return how.table([Share(named, rival, np.ones_like(rival))])


def _whole(asked: int, of: int | None) -> int:
    if of is not None and of < asked:
        msg = f"of={of} is less than the {asked:,} items of the fit; give more"
        raise OptionError(msg)
    return asked if of is None else of


def _padded(
    values: Float[np.ndarray, "D I"], items: int, of_rest: int
) -> Float[np.ndarray, "D 1 M"]:
    rest = ((0, 0), (0, items - values.shape[1]))
    return np.pad(values, rest, constant_values=of_rest)[:, None]


def _count_labels(
    fit: Fit, thresholds: Sequence[float], most: int
) -> list[tuple[str, float, Float[np.ndarray, "D I"], Float[np.ndarray, "D K I"]]]:
    """Return how many objects, or labels, and P(so many); the last is that or more."""
    for threshold in thresholds:
        if not 0 < threshold < 1:
            msg = f"threshold {threshold} is not a share between 0 and 1"
            raise OptionError(msg)
    counted = []
    for threshold in thresholds:
        if "joint_draws" in fit.data.children:
            by_what = _drawn(fit, threshold, most)
        else:
            item, chance = _of_labels(fit, threshold)
            mean = np.stack([np.bincount(item, each) for each in chance])
            by_number = np.stack([_distribution(item, each, most) for each in chance])
            by_what = {"labels": (mean, by_number)}
        counted += [(what, threshold, *both) for what, both in by_what.items()]
    return counted


def _drawn(fit: Fit, threshold: float, most: int) -> dict[str, _Counted]:
    items = items_of(fit.data)
    asked = pd.Index(items.loc[items["responses"] > 0, "item"].astype("str"))
    objects = drawn_objects(fit, asked, labels_of(fit), threshold)
    by_what = {}
    for what, counted in (("objects", objects.numbers), ("labels", objects.names)):
        never = [np.zeros_like(counted[0])] * most
        bits = (*[*counted, *never][:most], objects.at_least(most, counted))
        by_number = np.stack([objects.probability(one) for one in bits], axis=1)
        by_what[what] = objects.expected(counted), by_number
    return by_what


def _of_labels(
    fit: Fit, threshold: float
) -> tuple[Int[np.ndarray, " P"], Float[np.ndarray, "D P"]]:
    """Return the item of each label, and P(so many agree on it) by draw."""
    if fit.data.attrs["kind"] != "objects":
        names, drawn = draw_probability_above(fit, threshold)
        return pd.factorize(names["item"])[0].astype(np.int64), drawn
    shares = stored(fit.data, "labels")
    if shares is None or "named" not in shares:
        msg = "the fit holds neither drawn objects nor shares of answers; fit again"
        raise OptionError(msg)
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
