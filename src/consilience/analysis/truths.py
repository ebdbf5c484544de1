"""The posterior probability of labels that are proposed for an item.

Two ways of being true: one label is the truth (choice), or each may be present or not,
independently of the others given the fit (contains). Letters: I items, A models, R
ranks, M labels listed for an item. For the evaluation of models there are, of each
metric and subset, the two sums of a ratio: the probability that the label is true and
the item in the subset, and that the item is in it, by draw of the parameters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.proposals import UNKNOWN, Proposals
from consilience.analysis.shares import Cell, Sums
from consilience.errors import KindError
from consilience.posterior import Fit
from consilience.posterior.labels import by_label
from consilience.posterior.labels import labels as labels_table
from consilience.posterior.stored import stored
from consilience.posterior.truth import MAX_DRAWS, drawn_truth

SURE = 1 - 1e-12  # what is surer is divided by as if it were this


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Probabilities by item and label, searched by a code for both."""

    labels: pd.Index
    key: Int[np.ndarray, " P"]
    value: Float[np.ndarray, " P"]
    items: int

    def at(self, label: Int[np.ndarray, "*A I"]) -> Float[np.ndarray, "*A I"]:
        """Return the probability of a label of each item; NaN where there is none."""
        wanted = np.arange(self.items) * len(self.labels) + label
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        is_candidate = (self.key[place] == wanted) & (label != UNKNOWN)
        value: Float[np.ndarray, "*A I"] = np.where(
            is_candidate, self.value[place], np.nan
        )
        return value

    @property
    def item(self) -> Int[np.ndarray, " P"]:
        """The item of each probability."""
        code: Int[np.ndarray, " P"] = self.key // len(self.labels)
        return code


@dataclass(frozen=True, slots=True, eq=False)
class OneTruth:
    """One label is the truth; a label that is not listed is not."""

    table: Table

    def probability(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "A I"]:
        """P(the label of each item is the truth)."""
        chance: Float[np.ndarray, "A I"] = np.nan_to_num(self.table.at(label))
        return chance

    def any_of(self, label: Int[np.ndarray, "A I R"]) -> Float[np.ndarray, "A I"]:
        """P(the truth is among the labels)."""
        ranks = np.moveaxis(label, 2, 0)
        return sum(
            (
                np.where(
                    (ranks[:place] == ranks[place]).any(0),
                    0.0,
                    self.probability(ranks[place]),
                )
                for place in range(len(ranks))
            ),
            start=np.zeros(ranks.shape[1:]),
        )

    def both(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, " I"]
    ) -> Float[np.ndarray, "A I"]:
        """P(both are the truth): they are one label."""
        return np.where(label == other, self.probability(label), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class ManyTruths:
    """Each label is present or not, independently of the others given the fit."""

    table: Table

    @property
    def can_be_several(self) -> bool:
        """Whether two labels of an item may be true: both were asked about."""
        return len(np.unique(self.table.item)) < len(self.table.item)

    def probability(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "A I"]:
        """P(the label of each item is present); NaN where nobody was asked."""
        return self.table.at(label)

    def any_of(self, label: Int[np.ndarray, "A I R"]) -> Float[np.ndarray, "A I"]:
        """P(a label is present) for the labels that were asked about."""
        ranks = np.moveaxis(label, 2, 0)
        chance = np.stack([self.table.at(ranked) for ranked in ranks])
        none = np.nanprod(1 - chance, axis=0)
        return np.where(np.isnan(chance).all(0), np.nan, 1 - none)

    def both(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, " I"]
    ) -> Float[np.ndarray, "A I"]:
        """P(both are present)."""
        chance = self.probability(label)
        again = np.where(label == other, 1.0, self.table.at(other))
        return chance * again

    def others(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "A I"]:
        """P(the label is present and so is another)."""
        chance = self.probability(label)
        none_but_it = self._none() / (1 - np.minimum(chance, SURE))
        both: Float[np.ndarray, "A I"] = chance * (1 - none_but_it)
        return both

    def several(self) -> Float[np.ndarray, " I"]:
        """P(two labels or more are present)."""
        value = np.minimum(self.table.value, SURE)
        odds = np.bincount(self.table.item, value / (1 - value), self.table.items)
        less = self._none() * (1 + odds)
        several: Float[np.ndarray, " I"] = np.maximum(1 - less, 0.0)
        return several

    def some(self) -> Float[np.ndarray, " I"]:
        """P(a label is present)."""
        return 1 - self._none()

    def _none(self) -> Float[np.ndarray, " I"]:
        log_absent = np.log1p(-np.minimum(self.table.value, SURE))
        summed = np.bincount(self.table.item, log_absent, self.table.items)
        none: Float[np.ndarray, " I"] = np.exp(summed)
        return none


type Truths = OneTruth | ManyTruths


def truths(fit: Fit, items: pd.Index, most: int = MAX_DRAWS) -> tuple[Truths, ...]:
    """Lay out what a fit says of some items, by draw of its parameters."""
    kind = fit.data.attrs["kind"]
    if kind not in ("choice", "contains"):
        msg = f"the fit is of kind {kind}; its labels are not true each by itself"
        raise KindError(msg)
    stated = labels_table(fit.data)
    place = items.get_indexer(stated["item"].cat.categories.astype("str"))
    item = place[stated["item"].cat.codes.to_numpy()]
    labels = pd.Index(stated["label"].cat.categories.astype("str"))
    key = item.astype(np.int64) * len(labels) + stated["label"].cat.codes.to_numpy()
    kept = np.flatnonzero(item >= 0)
    kept = kept[np.argsort(key[kept])]
    values = stated["probability"].to_numpy(dtype=float)[None]
    if stored(fit.data, "labels") is None and most > 1:
        values = by_label(fit.data, drawn_truth(fit.data, most))
    tables = (Table(labels, key[kept], value[kept], len(items)) for value in values)
    whole = OneTruth if kind == "choice" else ManyTruths
    return tuple(whole(table) for table in tables)


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
    several = None
    if isinstance(truth, ManyTruths) and truth.can_be_several:
        several, both = truth.several(), truth.others(first)
        one = np.maximum(truth.some() - several, 0.0)
        yield ("accuracy", "several_labels"), (both, several * judged)
        yield ("accuracy", "one_label"), (true - both, one * judged)
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
    if several is not None:
        yield ("dataset_accuracy", "several_labels"), (same * several, several * ones)
        yield ("dataset_accuracy", "one_label"), (same * one, one * ones)
