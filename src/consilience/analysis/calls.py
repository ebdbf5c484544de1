"""Labels of items: by people, given a fit, by the data set, and by models.

A *call* is an item, what is held to be true of it, what it is called, and with which
probability; one of a model is certain, one of people has the posterior of a fit. Every
weighting of the items takes its probabilities from one draw of the parameters, as in
`shares`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.analysis.proposals import Proposals
from consilience.analysis.shares import Weights, bounds, weighted_sums
from consilience.errors import KindError
from consilience.posterior import Fit
from consilience.posterior.labels import by_label
from consilience.posterior.labels import labels as posterior_labels
from consilience.posterior.objects import MAIN_LABEL, joint_draws
from consilience.posterior.stored import stored
from consilience.posterior.truth import MAX_DRAWS, drawn_truth

_MAX_CELLS = 4_000_000  # weightings x cells that are held at once


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calls:
    """Calls by one party; D draws of the parameters, N calls."""

    item: Int[np.ndarray, " N"]
    true: Int[np.ndarray, " N"]
    given: Int[np.ndarray, " N"]
    weight: Float[np.ndarray, "D N"]

    def merge_labels(self, group: Int[np.ndarray, " K"]) -> "Calls":
        """Return the same with groups of labels instead of labels."""
        return replace(self, true=group[self.true], given=group[self.given])


def main_labels(fit: Fit, proposals: Proposals) -> Calls:
    """Return the main label of each item as a fit of objects or choice has it."""
    kind = fit.data.attrs["kind"]
    if kind == "objects":
        joint = joint_draws(fit.data)
        names = pd.Index(joint.items), pd.Index(joint.labels)
        weight = ((joint.facts & MAIN_LABEL) > 0).mean(1)
        item, label = joint.item, joint.label
    elif kind == "choice":
        table = posterior_labels(fit.data)
        parts = [table[name].cat for name in ("item", "label")]
        names = tuple(pd.Index(part.categories.astype("str")) for part in parts)
        item, label = (part.codes.to_numpy() for part in parts)
        weight = table["probability"].to_numpy(dtype=float)[None]
        if stored(fit.data, "labels") is None:
            weight = by_label(fit.data, drawn_truth(fit.data, MAX_DRAWS))
    else:
        msg = "the fit is of kind contains, where no label is the main one"
        raise KindError(msg)
    place = proposals.items.get_indexer(names[0])[item]
    code = proposals.names.get_indexer(names[1])[label]
    kept = np.flatnonzero((place >= 0) & (weight > 0).any(0))
    return Calls(
        item=place[kept], true=code[kept], given=code[kept], weight=weight[:, kept]
    )


def people_calls(main: Calls, dataset: Int[np.ndarray, " I"]) -> Calls:
    """Return what people call items of each label of the data set."""
    return replace(main, true=dataset[main.item])


def dataset_calls(main: Calls, dataset: Int[np.ndarray, " I"]) -> Calls:
    """Return what the data set calls items of each main label."""
    return replace(main, given=dataset[main.item])


def model_calls(
    first: Int[np.ndarray, " I"], main: Calls, dataset: Int[np.ndarray, " I"] | None
) -> Calls:
    """Return what a model calls items of the set's label, or of each main label."""
    if dataset is None:
        return replace(main, given=first[main.item])
    item = np.arange(len(first))
    return Calls(item=item, true=dataset, given=first, weight=np.ones((1, len(first))))


def cells_of(
    calls: Calls, group: Int[np.ndarray, " K"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells, their probabilities, and the expected size of each row."""
    size = int(group.max()) + 1
    grouped = calls.merge_labels(group)
    key, place = np.unique(grouped.true * size + grouped.given, return_inverse=True)
    weight = calls.weight.mean(0)
    rows = np.bincount(grouped.true, weight, size)
    return key, np.bincount(place, weight) / rows[key // size], rows


def summed(
    calls: Calls, kept: np.ndarray, weightings: Weights
) -> Float[np.ndarray, " S"]:
    """Return the sum of some calls: unweighted, then by each weighting."""
    return _weighted(calls, kept.astype(int), np.ones(1, int), weightings)[:, 0]


def rate_bounds(
    calls: Calls, kept: np.ndarray, size: int, weightings: Weights, prob: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of the probability of some cells."""
    step = max(1, _MAX_CELLS // (1 + sum(map(len, weightings))))
    parts = [
        bounds(rates(calls, kept[start : start + step], size, weightings), prob)
        for start in range(0, max(len(kept), 1), step)
    ]
    lower, upper = zip(*parts, strict=True)
    return np.concatenate(lower), np.concatenate(upper)


def rates(
    calls: Calls, kept: np.ndarray, size: int, weightings: Weights
) -> Float[np.ndarray, "S C"]:
    """Return the probability of some cells: unweighted, then by each weighting."""
    if not len(kept):
        return np.zeros((1 + sum(map(len, weightings)), 0))
    rows, row = np.unique(kept // size, return_inverse=True)
    above = _weighted(calls, calls.true * size + calls.given, kept, weightings)
    below = _weighted(calls, calls.true, rows, weightings)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Float[np.ndarray, "S C"] = above / below[:, row]
    return shares


def _weighted(
    calls: Calls,
    key: Int[np.ndarray, " N"],
    target: Int[np.ndarray, " C"],
    weightings: Weights,
) -> Float[np.ndarray, "S C"]:
    """Return the sums of the calls with each of some keys, in ascending order."""
    place = np.minimum(np.searchsorted(target, key), len(target) - 1)
    matched = target[place] == key
    cells = calls.item[matched], place[matched]
    shape = (weightings[0].shape[1], len(target))
    by_draw = [
        csr_array((weight[matched], cells), shape=shape) for weight in calls.weight
    ]
    return weighted_sums(by_draw, weightings)
