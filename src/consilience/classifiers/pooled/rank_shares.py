"""The accuracy of each rank of a list.

Learned from gold, each list's own shares shrunk to those of all lists; or else in
proportion to one over the rank.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

# What a list of ranks leaves to labels that it does not list, where no gold says;
# judgement. It orders nothing, and without gold no prior is made of it.
OFF_LIST = 0.05
# Gold items that the pool of lists counts for in the ranks of one of them; judgement.
SHRINKAGE = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class RankedRows:
    """Rows of all classifiers; the share is missing where only ranks are known."""

    item: Int[np.ndarray, " R"]
    label: Int[np.ndarray, " R"]
    model: Int[np.ndarray, " R"]
    rank: Int[np.ndarray, " R"]
    share: Float[np.ndarray, " R"]
    num_models: int

    @property
    def ranks_only(self) -> Bool[np.ndarray, " R"]:
        """Rows of classifiers with ranks only."""
        lacking = np.bincount(self.model, np.isnan(self.share), self.num_models) > 0
        rows: Bool[np.ndarray, " R"] = lacking[self.model]
        return rows

    def with_ranks(self, deserved: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " R"]:
        """Return the probability of each row: as given, or by its rank."""
        of_rank = deserved[self.model, self.rank - 1]
        share: Float[np.ndarray, " R"] = np.where(self.ranks_only, of_rank, self.share)
        return share


def rank_shares(
    rows: RankedRows,
    gold: pd.DataFrame | None,
    items: np.ndarray,
    labels: np.ndarray,
) -> Float[np.ndarray, "M D"]:
    """Return how often each rank of each list is right.

    From gold: the list's own shares, shrunk to those of all lists. Without gold: one
    over the rank.
    """
    depth = int(rows.rank.max(initial=1))
    listed = np.zeros((rows.num_models, depth))
    ranked = rows.ranks_only
    np.maximum.at(listed, (rows.model[ranked], rows.rank[ranked] - 1), 1.0)
    falling = listed / np.arange(1, depth + 1)
    total = np.maximum(falling.sum(1, keepdims=True), 1e-12)
    usual = (1 - OFF_LIST) * falling / total
    if gold is None or not ranked.any():
        return usual
    truth = _truth(gold, items, labels)
    judged = ranked & (truth[rows.item] >= 0)
    hit = judged & (truth[rows.item] == rows.label)
    place = (rows.model, rows.rank - 1)
    hits, trials = np.zeros_like(listed), np.zeros_like(listed)
    np.add.at(hits, (place[0][hit], place[1][hit]), 1.0)
    np.add.at(trials, (place[0][judged], place[1][judged]), 1.0)
    together = (hits.sum(0) + usual.max(0)) / (trials.sum(0) + 1)
    return listed * (hits + SHRINKAGE * together) / (trials + SHRINKAGE)


def _truth(
    gold: pd.DataFrame, items: np.ndarray, labels: np.ndarray
) -> Int[np.ndarray, " I"]:
    """Return the code of the true label of each item; minus one where not known."""
    item = pd.Index(items).get_indexer(pd.Index(gold["item"].astype("str")))
    label = pd.Index(labels).get_indexer(pd.Index(gold["label"].astype("str")))
    truth = np.full(len(items), -1)
    here = item >= 0
    # A label that nobody lists is known and never hit.
    truth[item[here]] = np.where(label[here] < 0, len(labels), label[here])
    return truth
