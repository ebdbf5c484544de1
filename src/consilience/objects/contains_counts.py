"""Contains answers about the candidates of items whose objects were named as well.

Asked *is this label in the image?*, annotators say no, maybe or yes. Such answers are
counted by item and candidate, no matter who gave them.

**Which labels were asked about** is not random: they were filtered, or are those that
classifiers proposed. That may be ignored where it depends on nothing but what the
likelihood holds: the candidates, the data set's own label, and the answers themselves.
What is assumed of it is said with the counts.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.errors import KindError, SourceError
from consilience.responses import Responses
from consilience.responses.options import ANSWERS

LEADING, MULTIPLE, OF_DATASET = "leading question", "one of several names", "own"


def contains_counts(
    contains: Responses,
    items: Shaped[np.ndarray, " U"],
    labels: Shaped[np.ndarray, " L"],
    candidate: Int[np.ndarray, "U C"],
    dataset_label: Int[np.ndarray, " U"],
) -> tuple[Int[np.ndarray, "U C 3"], list[str]]:
    """Count the answers about each candidate; say what is assumed of them."""
    if contains.kind != "contains":
        raise KindError(
            f"the answers given beside the objects are of kind {contains.kind}; give "
            "those to the question whether a label is there (kind contains)"
        )
    table = contains.table[contains.table["answer"].notna()]
    unit = _codes(table["item"], items)
    label = _codes(table["label"], labels)
    hit = (candidate[unit] == label[:, None]) & (unit >= 0)[:, None]
    hit &= (label >= 0)[:, None] & ((candidate >= 0).sum(1) > 1)[unit][:, None]
    matched, slot = hit.any(1), hit.argmax(1)
    n = table["n"].to_numpy().astype(np.int64)
    if not matched.any():
        raise SourceError(
            f"none of {n.sum():,} Contains answers is about a candidate of an item "
            "with several whose objects were named; give items and labels the same "
            "names in both tasks"
        )
    word = table["answer"].cat.codes.to_numpy()
    counts = np.zeros((*candidate.shape, len(ANSWERS)), np.int64)
    np.add.at(counts, (unit[matched], slot[matched], word[matched]), n[matched])
    left_out = int(n[~matched & (unit >= 0)].sum()), int(n[unit < 0].sum())
    return counts, _sentences(counts, candidate, dataset_label, left_out)


def endorsed_share(counts: Int[np.ndarray, "*c 3"]) -> Float[np.ndarray, "*c"]:
    """Return the share of *yes*, one *no* imagined; *maybe* is half a yes."""
    return (counts[..., 2] + counts[..., 1] / 2) / (counts.sum(-1) + 1)


def exceedances(counts: Int[np.ndarray, "*c 3"]) -> Float[np.ndarray, "*c A"]:
    """Return whether each answer, and any, was given more often than j times.

    The answers one behind the other, then any; of each, j from zero.
    """
    whole = np.concatenate([counts, counts.sum(-1, keepdims=True)], axis=-1)
    most = max(int(whole.max(initial=0)), 1)
    over = whole[..., None] > np.arange(most)
    exceeds: Float[np.ndarray, "*c A"] = over.reshape(*counts.shape[:-1], -1)
    return exceeds.astype(float)


def _codes(column: pd.Series, names: Shaped[np.ndarray, " M"]) -> Int[np.ndarray, " N"]:
    """Return the place of each row's name among others; -1 where it is not there."""
    place = pd.Index(names.astype(str)).get_indexer(column.cat.categories.astype(str))
    code = column.cat.codes.to_numpy()
    return np.where(code >= 0, place[code], -1)


def _sentences(
    counts: Int[np.ndarray, "U C 3"],
    candidate: Int[np.ndarray, "U C"],
    dataset_label: Int[np.ndarray, " U"],
    left_out: tuple[int, int],
) -> list[str]:
    was_asked = counts.sum(-1) > 0
    there = was_asked.any(1)
    candidates = (candidate >= 0)[there]
    mine = candidate == dataset_label[:, None]
    has = (mine & (dataset_label >= 0)[:, None]).any(1) & there
    always = has.any() and (was_asked & mine)[has].any(1).all()
    first = (
        f"{counts.sum():,} Contains answers about {was_asked.sum():,} candidates of "
        f"{there.sum():,} items are in the likelihood, no matter who gave them"
    )
    dropped, elsewhere = left_out
    if dropped:
        first += (
            f"; {dropped:,} are left out: about labels that are no candidates, for "
            "nobody named them, or about the only candidate of an item"
        )
    if elsewhere:
        first += f"; {elsewhere:,} about items whose objects nobody named are left out"
    share = was_asked.sum() / candidates.sum()
    second = (
        f"which labels were asked about ({share:.0%} of the candidates of these items"
        + (", the data set's own label always" if always else "")
        + ") is taken to say nothing beyond the candidates and the answers"
    )
    third = (
        "those who were asked about a label and those who named objects are taken for "
        "one population: what is called the leading question is all that makes the two "
        "differ, about which only candidates say anything"
    )
    return [first, second, third]
