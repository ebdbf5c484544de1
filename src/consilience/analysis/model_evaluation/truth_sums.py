"""Sums over items for the evaluation of models, where truths are single labels.

Of each metric and subset the two sums of a ratio: the probability that the label is
true and the item in the subset, and that the item is in it, by draw of the parameters.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from consilience.analysis.model_evaluation.bootstrap import Sums
from consilience.analysis.model_evaluation.proposals import Proposals
from consilience.analysis.model_evaluation.truths import UNKNOWN, Truths

type Cell = tuple[str, str]  # metric, subset


def truth_sums(
    proposals: Proposals, drawn: Sequence[Truths]
) -> Iterator[tuple[Cell, Sums]]:
    """Give of each metric and subset both sums of the ratio."""
    for by_draw in zip(*(_sums(proposals, truth) for truth in drawn), strict=True):
        tops, bottoms = zip(*(sums for _, sums in by_draw), strict=True)
        yield by_draw[0][0], (np.stack(tops), np.stack(bottoms))


def _sums(
    proposals: Proposals, truth: Truths
) -> Iterator[tuple[Cell, tuple[Float[np.ndarray, "A I"], Float[np.ndarray, "A I"]]]]:
    label = proposals.fitted_label
    first = label[:, :, 0]
    true = truth.probability(first)
    judged = np.where(np.isnan(true), np.nan, 1.0)
    depth = label.shape[2]
    yield ("accuracy", "all"), (true, judged)
    if depth > 1:
        any_true = truth.any_of(label)
        yield (
            (f"top_{depth}", "all"),
            (any_true, np.where(np.isnan(any_true), np.nan, 1.0)),
        )
    several = np.broadcast_to(truth.several(), true.shape)
    if truth.can_be_several:
        both = truth.others(first)
        yield ("accuracy", "several_labels"), (both, several * judged)
        yield ("accuracy", "one_label"), (true - both, _one(truth, several) * judged)
    if proposals.dataset is None:
        return
    same = (proposals.label[:, :, 0] == proposals.dataset).astype(float)
    ones = np.ones_like(same)
    yield ("dataset_accuracy", "all"), (same, ones)
    if depth > 1:
        among = (proposals.label == proposals.dataset[:, None]).any(2).astype(float)
        yield (f"dataset_top_{depth}", "all"), (among, ones)
    old = np.where(
        proposals.dataset < proposals.num_fit_labels, proposals.dataset, UNKNOWN
    )
    right = np.broadcast_to(truth.probability(old[None]), true.shape)
    both = truth.both(first, old)
    judged = judged * np.where(np.isnan(right), np.nan, 1.0)
    yield ("accuracy", "label_right"), (both, right * judged)
    yield ("accuracy", "label_wrong"), (true - both, (1 - right) * judged)
    yield ("dataset_accuracy", "label_right"), (same * right, right * ones)
    yield ("dataset_accuracy", "label_wrong"), (same * (1 - right), (1 - right) * ones)
    if truth.can_be_several:
        many = truth.several()
        yield ("dataset_accuracy", "several_labels"), (same * many, many * ones)
        one = _one(truth, several)
        yield ("dataset_accuracy", "one_label"), (same * one, one * ones)


def _one(truth: Truths, several: Float[np.ndarray, "A I"]) -> Float[np.ndarray, "A I"]:
    one: Float[np.ndarray, "A I"] = np.maximum(truth.some() - several, 0.0)
    return one
