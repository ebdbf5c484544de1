"""The posterior probability of labels that are proposed for an item.

Two ways of being true: one label is the truth (choice), or each may be present or not,
independently of the others given the fit (contains). Letters: D draws of the
parameters, I items, A models, R ranks, P pairs of an item and a label. For the
evaluation of models there are, of each metric and subset, the two sums of a ratio: the
probability that the label is true and the item in the subset, and that the item is in
it.
"""

from collections.abc import Iterator
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
from consilience.posterior.truth import drawn_truth

SURE = 1 - 1e-12  # what is surer is divided by as if it were this


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Truths:
    """Probabilities by draw, item and label; `key` is a code for the latter two."""

    labels: pd.Index
    key: Int[np.ndarray, " P"]
    value: Float[np.ndarray, "D P"]
    items: int
    one: bool  # one label is the truth, and one that is not listed is not

    def probability(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(a label of each item is true); NaN where nobody was asked about it."""
        wanted = np.arange(self.items) * len(self.labels) + label
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        listed = (self.key[place] == wanted) & (label != UNKNOWN)
        chance: Float[np.ndarray, "_ A I"] = np.where(
            listed, self.value[:, place], 0.0 if self.one else np.nan
        )
        return chance

    def any_of(self, label: Int[np.ndarray, "A I R"]) -> Float[np.ndarray, "_ A I"]:
        """P(one of the labels is true), of those that were asked about."""
        ranks = np.moveaxis(label, 2, 0)
        if self.one:
            again = [(ranks[:rank] == each).any(0) for rank, each in enumerate(ranks)]
            return sum(
                (
                    np.where(twice, 0.0, self.probability(each))
                    for twice, each in zip(again, ranks, strict=True)
                ),
                start=np.zeros((len(self.value), *ranks.shape[1:])),
            )
        none, unasked = np.ones(1), np.ones(1, bool)
        for each in ranks:
            chance = self.probability(each)
            none = none * (1 - np.nan_to_num(chance))
            unasked = unasked & np.isnan(chance)
        return np.where(unasked, np.nan, 1 - none)

    def both(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, " I"]
    ) -> Float[np.ndarray, "_ A I"]:
        """P(both labels are true)."""
        again = 0.0 if self.one else self.probability(other[None])
        return self.probability(label) * np.where(label == other, 1.0, again)

    @property
    def can_be_several(self) -> bool:
        """Whether two labels of an item may be true: both were asked about."""
        return not self.one and len(np.unique(self._item)) < len(self.key)

    def others(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(the label is present and so is another)."""
        chance = self.probability(label)
        none_but_it = self._none()[:, None] / (1 - np.minimum(chance, SURE))
        both: Float[np.ndarray, "_ A I"] = chance * (1 - none_but_it)
        return both

    def several(self) -> Float[np.ndarray, "_ I"]:
        """P(two labels or more are present)."""
        value = np.minimum(self.value, SURE)
        less = self._none() * (1 + self._by_item(value / (1 - value)))
        several: Float[np.ndarray, "_ I"] = np.maximum(1 - less, 0.0)
        return several

    def some(self) -> Float[np.ndarray, "_ I"]:
        """P(a label is present)."""
        return 1 - self._none()

    def _none(self) -> Float[np.ndarray, "_ I"]:
        none: Float[np.ndarray, "_ I"] = np.exp(
            self._by_item(np.log1p(-np.minimum(self.value, SURE)))
        )
        return none

    @property
    def _item(self) -> Int[np.ndarray, " P"]:
        code: Int[np.ndarray, " P"] = self.key // len(self.labels)
        return code

    def _by_item(self, values: Float[np.ndarray, "D P"]) -> Float[np.ndarray, "D I"]:
        return np.stack([np.bincount(self._item, row, self.items) for row in values])


def truths(fit: Fit, items: pd.Index, most: int) -> Truths:
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
    return Truths(
        labels=labels,
        key=key[kept],
        value=values[:, kept],
        items=len(items),
        one=kind == "choice",
    )


def truth_sums(proposals: Proposals, truth: Truths) -> Iterator[tuple[Cell, Sums]]:
    """Give of each metric and subset both sums of the ratio."""
    label = proposals.fitted_label
    first, depth = label[:, :, 0], label.shape[2]
    true = truth.probability(first)
    judged = np.where(np.isnan(true), np.nan, 1.0)
    yield ("accuracy", "all"), (true, judged)
    if depth > 1:
        any_true = truth.any_of(label)
        asked = np.where(np.isnan(any_true), np.nan, 1.0)
        yield (f"top_{depth}", "all"), (any_true, asked)
    number = {}
    if truth.can_be_several:
        several, both = truth.several()[:, None], truth.others(first)
        one = np.maximum(truth.some()[:, None] - several, 0.0)
        number = {"several_labels": several, "one_label": one}
        yield ("accuracy", "several_labels"), (both, several * judged)
        yield ("accuracy", "one_label"), (true - both, one * judged)
    if proposals.dataset is None:
        return
    same = (proposals.label[:, :, 0] == proposals.dataset).astype(float)
    ones = np.ones_like(true)
    yield ("dataset_accuracy", "all"), (same * ones, ones)
    if depth > 1:
        among = (proposals.label == proposals.dataset[:, None]).any(2)
        yield (f"dataset_top_{depth}", "all"), (among * ones, ones)
    old = proposals.fitted_dataset
    right = truth.probability(old[None])
    both = truth.both(first, old)
    judged = judged * np.where(np.isnan(right), np.nan, 1.0)
    yield ("accuracy", "label_right"), (both, right * judged)
    yield ("accuracy", "label_wrong"), (true - both, (1 - right) * judged)
    for subset, members in (
        {"label_right": right, "label_wrong": 1 - right} | number
    ).items():
        yield ("dataset_accuracy", subset), (same * members, members * ones)
