"""Covariates of a pair of item and label: the numeric columns of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.classifiers.pooled.pooling import Pool

ANNOTATORS, DATASET = "(annotators)", "(data set)"


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of item and label, and the cell of the pool where there is one."""

    item: Int[np.ndarray, " C"]
    label: Int[np.ndarray, " C"]
    cell: Int[np.ndarray, " C"]


class Vocabulary:
    """Names of items and labels: the pool's own first, then what else is named."""

    def __init__(self, pooled: Pool, tables: Sequence[pd.DataFrame | None]) -> None:
        self.items = pooled.items
        named = [t["label"].astype("str") for t in tables if t is not None]
        more = np.asarray(pd.concat(named).unique() if named else (), object)
        new = more[~pd.Index(more).isin(pooled.labels)]
        self.labels = np.concatenate([pooled.labels, new])

    def codes(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return codes of the rows about items that were classified, and which."""
        item = pd.Index(self.items).get_indexer(pd.Index(table["item"].astype("str")))
        label = pd.Index(self.labels).get_indexer(
            pd.Index(table["label"].astype("str"))
        )
        here = item >= 0
        return item[here], label[here], here

    def pairs(self, pooled: Pool, kept: np.ndarray, also: pd.DataFrame | None) -> Pairs:
        """Return the cells that are kept and what else is named, each pair once."""
        item, label = pooled.item[kept], pooled.label[kept]
        if also is not None:
            more, named, _ = self.codes(also)
            item, label = np.append(item, more), np.append(label, named)
        return self.locate(pooled, item, label, unique=True)

    def locate(
        self, pooled: Pool, item: np.ndarray, label: np.ndarray, *, unique: bool
    ) -> Pairs:
        """Return pairs with their cells."""
        if unique:
            codes = np.unique(item.astype(np.int64) * len(self.labels) + label)
            item, label = np.divmod(codes, len(self.labels))
        codes_in_pool = np.where(label < len(pooled.labels), label, -1)
        return Pairs(item, label, pooled.cell(item, codes_in_pool))


def candidate_features(
    pooled: Pool,
    pairs: Pairs,
    top: int,
    also: pd.DataFrame | None,
    vocabulary: Vocabulary,
) -> dict[str, Float[np.ndarray, " C"]]:
    """Return the number columns of pairs."""

    def weighted_sum(value: np.ndarray) -> np.ndarray:
        total = np.bincount(
            pooled.row_cell, pooled.row_weight * value, len(pooled.item)
        )
        return np.where(pairs.cell >= 0, total[pairs.cell], 0.0)

    here = np.where(
        pairs.cell >= 0,
        pooled.probability[pairs.cell],
        pooled.elsewhere[pairs.item],
    )
    features = {
        "score": np.log(here),
        "top": weighted_sum(pooled.row_rank <= top),
        "reciprocal_rank": weighted_sum(1.0 / pooled.row_rank),
        "first": weighted_sum(pooled.row_rank == 1),
    }
    if also is not None and (also["source"] == DATASET).any():
        item, label, _ = vocabulary.codes(also[also["source"] == DATASET])
        dataset_pairs = set(zip(item.tolist(), label.tolist(), strict=True))
        both = zip(pairs.item.tolist(), pairs.label.tolist(), strict=True)
        features["dataset_label"] = np.array(
            [float(pair in dataset_pairs) for pair in both]
        )
    return features
