"""Codes of annotators and units, shared by all truth spaces."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, Shaped

from consilience.errors import GoldError, NoResponsesError
from consilience.truth.space import ANONYMOUS


def code_annotators(
    annotator: pd.Series,
) -> tuple[Int[np.ndarray, " N"], Shaped[np.ndarray, " J"], Bool[np.ndarray, " J"]]:
    """Return codes, names, and which are people; those without id share the last code.

    Ids that no answer carries are left out.
    """
    codes = annotator.cat.codes.to_numpy()
    names = np.append(annotator.cat.categories.to_numpy(dtype=object), ANONYMOUS)
    used = np.zeros(len(names), bool)
    used[codes] = True  # the last one by those without id
    new = (np.cumsum(used) - 1).astype(np.int32)
    identified = np.arange(len(names)) < len(names) - 1
    return new[codes], names[used], identified[used]


def in_order_of_unit(
    unit: Int[np.ndarray, " N"], *columns: Shaped[np.ndarray, " N"]
) -> tuple[Shaped[np.ndarray, " N"], ...]:
    """Return all columns sorted by unit, answers of a unit in the order of the file."""
    if not unit.size:
        msg = (
            "no answer is left to fit: every question was skipped, or the file is empty"
        )
        raise NoResponsesError(msg)
    if (unit[1:] >= unit[:-1]).all():
        return (unit, *columns)
    order = np.argsort(unit, kind="stable")
    return tuple(column[order] for column in (unit, *columns))


def gold_codes(
    gold: pd.DataFrame, items: pd.Index, labels: pd.Index
) -> tuple[Int[np.ndarray, " G"], Int[np.ndarray, " G"], int]:
    """Return codes of items and labels of gold, and how many items are unknown."""
    label = labels.get_indexer(pd.Index(gold["label"].astype(str)))
    if (label < 0).any():
        first = gold.iloc[int(np.argmax(label < 0))]
        msg = (
            f"gold label {first['label']!r} of item {first['item']!r} is not among the "
            f"{len(labels)} labels of the responses; correct it or add it to `labels=`"
        )
        raise GoldError(msg)
    item = items.get_indexer(pd.Index(gold["item"].astype(str)))
    here = item >= 0
    return item[here], label[here], int((~here).sum())
