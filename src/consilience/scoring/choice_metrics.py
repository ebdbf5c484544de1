"""Metrics of choice: one truth per item, of which gold may allow several names.

With q the probability of all right labels of an item together and p_k that of the wrong
ones: log-loss -log max(q, clip), Brier (1 - q)^2 + sum_k p_k^2 (between 0 and 2).
Accuracy is the share of right labels among the item's most probable ones, so that a tie
is split. The ECE compares the highest probability with that share.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.responses.side_tables import nothing_shared
from consilience.scoring.calibration import gaps_by_item

# As the table `items` does: double precision is exact to far below this.
_TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """What each item with gold adds to the metrics; items stand in gold's order."""

    confidence: Float[np.ndarray, " I"]
    right: Float[np.ndarray, " I"]
    truth: Float[np.ndarray, " I"]
    brier: Float[np.ndarray, " I"]
    gaps: Float[np.ndarray, "I B"]
    missing: int


def choice_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> tuple[
    Callable[[Float[np.ndarray, "R I"]], dict[str, Float[np.ndarray, " R"]]], int, int
]:
    """Prepare the metrics of choice."""
    scores = item_scores(labels, gold, bins)
    losses = -np.log(np.maximum(scores.truth, clip))
    sums = np.column_stack([scores.right, losses, scores.brier])

    def measure(
        weights: Float[np.ndarray, "R I"],
    ) -> dict[str, Float[np.ndarray, " R"]]:
        total = weights.sum(axis=1)
        means = weights @ sums / total[:, None]
        return {
            "accuracy": means[:, 0],
            "log_loss": means[:, 1],
            "brier": means[:, 2],
            "ece": np.abs(weights @ scores.gaps).sum(axis=1) / total,
        }

    return measure, len(sums), scores.missing


def item_scores(
    labels: pd.DataFrame, gold: pd.DataFrame, bins: int | None
) -> ItemScores:
    """Score each item with gold."""
    gold_labels = gold[["item", "label"]].dropna().astype("str").drop_duplicates()
    stated = labels.dropna(subset=["item", "label", "probability"])
    wanted = pd.Index(gold_labels["item"].unique())
    names = pd.Index(stated["item"].astype("category").cat.categories.astype("str"))
    place = wanted.get_indexer(names)
    row_item = place[stated["item"].astype("category").cat.codes.to_numpy()]
    stated, row_item = stated[row_item >= 0], row_item[row_item >= 0]
    present = np.unique(row_item)
    if not len(present):
        raise nothing_shared(wanted, names)
    item = np.searchsorted(present, row_item)
    right = _is_right(stated, row_item, gold_labels, wanted)
    p = stated["probability"].to_numpy().astype(np.float64)
    num_items = len(present)

    together = np.bincount(item, p * right, minlength=num_items)
    wrong = np.bincount(item, p**2 * ~right, minlength=num_items)
    highest = np.full(num_items, -np.inf)
    np.maximum.at(highest, item, p)
    leads = p >= highest[item] - _TIE
    hit = np.bincount(item, leads & right, minlength=num_items) / np.bincount(
        item, leads, minlength=num_items
    )
    return ItemScores(
        confidence=highest,
        right=hit,
        truth=together,
        brier=(1 - together) ** 2 + wrong,
        gaps=gaps_by_item(highest, hit, np.arange(num_items), bins),
        missing=len(wanted) - num_items,
    )


def _is_right(
    stated: pd.DataFrame,
    row_item: np.ndarray,
    gold_labels: pd.DataFrame,
    wanted: pd.Index,
) -> np.ndarray:
    """Whether each row's label is one that gold allows for its item."""
    label = stated["label"].astype("category")
    row_label = label.cat.codes.to_numpy().astype(np.int64)
    names = pd.Index(label.cat.categories.astype("str"))
    gold_label = names.get_indexer(pd.Index(gold_labels["label"]))
    gold_item = wanted.get_indexer(pd.Index(gold_labels["item"]))[gold_label >= 0]
    pairs = gold_item * len(names) + gold_label[gold_label >= 0]
    return np.isin(row_item * len(names) + row_label, pairs)
