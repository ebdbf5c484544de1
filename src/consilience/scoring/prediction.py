"""The probabilities of a method for each item, in one form for all methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("item", "label", "probability")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a method says."""

    labels: pd.DataFrame
    variants: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def complete(
    table: pd.DataFrame, items: Sequence[str], labels: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """Return what is said of some items, each with probabilities that sum to one.

    An item of which nothing is said, or whose probabilities are all zero or not
    numbers, gets the same probability for every label: saying nothing is neither right
    nor wrong.
    """
    stated = table[list(COLUMNS)].astype({"item": "str", "label": "str"})
    stated = stated[stated["item"].isin(list(items))]
    if (stated["probability"] < 0).any():
        msg = f"a probability is {stated['probability'].min():g}, less than 0"
        raise ValueError(msg)
    by_item = stated.groupby("item")["probability"]
    total = by_item.transform("sum", min_count=1)
    whole = by_item.transform("count") == by_item.transform("size")
    meant = np.isfinite(total) & (total > 0) & whole
    kept = stated[meant].assign(probability=lambda rows: rows["probability"] / total)
    silent = sorted(set(items) - set(kept["item"]))
    filled = pd.DataFrame(
        {
            "item": np.repeat(np.array(silent, dtype=object), len(labels)),
            "label": np.tile(np.array(labels, dtype=object), len(silent)),
            "probability": 1 / max(len(labels), 1),
        }
    )
    parts = [part for part in (kept, filled) if len(part)]
    return pd.concat(parts, ignore_index=True), len(silent)
