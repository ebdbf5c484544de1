"""How many labels, or objects, of an item are valid, by how many annotators must agree.

They are counted with the frequencies of `contains_counts`, with the drawn objects of
`objects` (two names of one thing counted once), and, for a rule about objects, with
shares of the answers.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.decisions import share_of_yes
from consilience.analysis.drawn_objects import Bits, DrawnObjects, drawn_objects
from consilience.analysis.proposals import labels_of
from consilience.analysis.selection import draw_probability_above
from consilience.analysis.shares import Resampling, Share
from consilience.analysis.study import (
    bounded_at,
    share_drawn,
    varied_threshold,
    whole_study,
)
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.labels import items as items_of
from consilience.posterior.stored import JOINT_DRAWS, stored
from consilience.ragged import places_within
from consilience.responses.id_types import as_texts

THRESHOLDS = (0.25, 0.5, 0.75)
MOST = 6


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
        Columns counted (labels; for models of objects, objects and labels), threshold,
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
    >>> valid[["counted", "threshold", "statistic"]].head(1)
       counted  threshold statistic
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
                share = share_drawn(part, every, varied, every, bounded_at(fit, prob))
                rows.append({**named, "statistic": name, **share})
        return pd.DataFrame(rows)
    counted = _count_labels(fit, thresholds, 2)
    how = Resampling(counted[0][2].shape[1], resamples, prob, seed)
    return how.table(
        Share(
            {"counted": [what], "threshold": threshold, "statistic": statistic},
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
        Columns counted and threshold as in `valid_labels`, number (0 to `most`), value
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
    >>> float(table.loc[table["counted"] == "objects", "value"].sum().round(6))
    1.0
    """
    if JOINT_DRAWS in fit.data.children:
        rows = []
        for named, items, *drawn in _drawn(fit, thresholds):
            whole = whole_study(items, of)
            for number in range(most + 1):
                part, varied = (
                    truth.items_with(_exactly(truth, exact, number, most))
                    + (whole - items) * (number == 1)
                    for truth, exact in drawn
                )
                every = np.full(part.shape, float(whole))
                share = share_drawn(part, every, varied, every, bounded_at(fit, prob))
                rows.append({**named, "number": number, **share})
        return pd.DataFrame(rows)
    counted = _count_labels(fit, thresholds, most)
    asked = counted[0][2].shape[1]
    how = Resampling(whole_study(asked, of), resamples, prob, seed)
    shares = []
    for what, threshold, _, by_number in counted:
        rest = np.zeros((*by_number.shape[:2], how.items - asked))
        rest[:, 1] = 1.0
        part = np.concatenate([by_number, rest], axis=2)
        named = {"counted": what, "threshold": threshold, "number": range(most + 1)}
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
            drawn_objects(fit, asked, labels_of(fit), least)
            for least in (threshold, varied_threshold(fit, threshold))
        ]
        for what, name in (("objects", "numbers"), ("labels", "names")):
            named = {"counted": what, "threshold": threshold}
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
