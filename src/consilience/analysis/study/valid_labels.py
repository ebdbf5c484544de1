"""Number of valid labels, or objects, of an item by threshold of agreement.

Asked of each label alone (contains), most items have several valid labels, since people
say yes to whatever could be meant; asked to name what they see (objects), people name
fewer. Both are given here by the share of annotators that must agree: with the
frequencies of `contains_counts`, with the drawn objects of `objects` (two names of one
thing counted once), and, for a rule about objects, with shares of the answers.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 4.2.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.decisions.frequencies import draw_probability_above
from consilience.analysis.model_evaluation.bootstrap import bounds, ratios, weights
from consilience.analysis.model_evaluation.drawn_objects import Bits, drawn_objects
from consilience.analysis.model_evaluation.proposals import labels_of
from consilience.analysis.model_evaluation.truths import SURE
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.results.items import items as items_of
from consilience.posterior.stored_fit.restored import stored
from consilience.ragged import places_within

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
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.

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
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.valid_labels(fit, [0.25, 0.75])
    >>> table[["what", "threshold", "statistic"]].head(4)
          what  threshold statistic
    0  objects       0.25      mean
    1  objects       0.25   several
    2   labels       0.25      mean
    3   labels       0.25   several
    """
    _check_thresholds(thresholds)
    objects, drawn = _has_draws(fit)
    rows = []
    for threshold in thresholds:
        if drawn:
            counts = _draw_numbers(fit, threshold)
        else:
            item, chance = _of_labels(fit, threshold, objects=objects)
            sums = zip(*(_sum_labels(item, chances) for chances in chance), strict=True)
            mean, several = (np.stack(draws) for draws in sums)
            counts = {"labels": (mean, several)}
        for what, both in counts.items():
            weightings = list(weights(both[0].shape[1], resamples, seed))
            for statistic, top in zip(("mean", "several"), both, strict=True):
                values = ratios(top[:, None], np.ones_like(top)[:, None], weightings)
                lower, upper = bounds(values, prob)
                row = (threshold, statistic, values[0, 0], lower[0], upper[0])
                rows.append((what, *row, top.shape[1]))
    names = ["what", "threshold", "statistic", "value", "lower", "upper", "items"]
    return pd.DataFrame(rows, columns=names)


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
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.

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
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.valid_label_counts(fit)
    >>> float(table.loc[table["what"] == "objects", "value"].sum().round(6))
    1.0
    """
    _check_thresholds(thresholds)
    objects, drawn = _has_draws(fit)
    parts = []
    for threshold in thresholds:
        if drawn:
            shares = _draw_distributions(fit, threshold, most)
        else:
            item, chance = _of_labels(fit, threshold, objects=objects)
            counted = [_distribution(item, each, most) for each in chance]
            shares = {"labels": np.stack(counted)}
        for what, by_item in shares.items():
            draws, numbers, asked = by_item.shape
            whole = asked if of is None else of
            if whole < asked:
                msg = f"of={of} is less than the {asked:,} items of the fit; give more"
                raise OptionError(msg)
            rest = np.zeros((draws, numbers, whole - asked))
            rest[:, 1] = 1.0
            top = np.concatenate([by_item, rest], axis=2)
            weightings = list(weights(whole, resamples, seed))
            values = ratios(top, np.ones_like(top), weightings)
            lower, upper = bounds(values, prob)
            columns = {"value": values[0], "lower": lower, "upper": upper}
            by_number = {"what": what, "threshold": threshold, "number": range(numbers)}
            parts.append(pd.DataFrame({**by_number, **columns, "items": whole}))
    return pd.concat(parts, ignore_index=True)


def _check_thresholds(thresholds: Sequence[float]) -> None:
    for threshold in thresholds:
        if not 0 < threshold < 1:
            msg = f"threshold {threshold} is not a share between 0 and 1"
            raise OptionError(msg)


def _has_draws(fit: Fit) -> tuple[bool, bool]:
    """Say whether a fit is of kind objects, and whether it has draws of them."""
    objects = fit.data.attrs["kind"] == "objects"
    return objects, objects and "joint_draws" in fit.data.children


def _draw_distributions(
    fit: Fit, threshold: float, most: int
) -> dict[str, Float[np.ndarray, "D K I"]]:
    """Return P(so many objects, and labels) of each item; the last is that or more."""
    objects = drawn_objects(fit, _answered(fit), labels_of(fit), threshold)
    return {
        what: np.stack(
            [objects.probability(_bits_of(counted, k)) for k in range(most)]
            + [objects.probability(objects.at_least(most, counted))],
            axis=1,
        )
        for what, counted in (("objects", objects.numbers), ("labels", objects.names))
    }


def _bits_of(counted: tuple[Bits, ...], number: int) -> Bits:
    """Return the draws with just so many; none where there are never so many."""
    if number < len(counted):
        return counted[number]
    return np.zeros_like(counted[0])


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


def _answered(fit: Fit) -> pd.Index:
    table = items_of(fit.data)
    return pd.Index(table.loc[table["responses"] > 0, "item"].astype("str"))


def _draw_numbers(
    fit: Fit, threshold: float
) -> dict[str, tuple[Float[np.ndarray, "D I"], Float[np.ndarray, "D I"]]]:
    """Return how many objects and labels are expected, and P(two or more), by item."""
    objects = drawn_objects(fit, _answered(fit), labels_of(fit), threshold)
    return {
        what: (
            objects.expected(counted),
            objects.probability(objects.at_least(2, counted)),
        )
        for what, counted in (("objects", objects.numbers), ("labels", objects.names))
    }


def _of_labels(
    fit: Fit, threshold: float, *, objects: bool
) -> tuple[Int[np.ndarray, " P"], Float[np.ndarray, "D P"]]:
    """Return the item of each label, and P(so many agree on it) by draw."""
    if not objects:
        names, drawn = draw_probability_above(fit, threshold)
        return pd.factorize(names["item"])[0].astype(np.int64), drawn
    shares = stored(fit.data, "labels")
    if shares is None or "named" not in shares:
        msg = (
            "the fit holds no drawn objects: it was written by an older version; fit "
            "again"
        )
        raise OptionError(msg)
    reached = shares["named"].to_numpy() >= threshold
    item = pd.factorize(shares["item"])[0].astype(np.int64)
    return item, reached.astype(float)[None]


def _sum_labels(
    item: Int[np.ndarray, " P"], chance: Float[np.ndarray, " P"]
) -> tuple[Float[np.ndarray, " I"], Float[np.ndarray, " I"]]:
    """Return how many labels are expected, and P(two or more), independent ones."""
    mean = np.bincount(item, chance)
    sure = np.minimum(chance, SURE)
    none = np.exp(np.bincount(item, np.log1p(-sure)))
    one = none * np.bincount(item, sure / (1 - sure))
    return mean, np.maximum(1 - none - one, 0.0)
