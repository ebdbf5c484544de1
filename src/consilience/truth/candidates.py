"""Choice over candidates: only the labels listed for an item can be its truth.

The prior of a state is the prevalence of its label times the weight of its list entry,
not divided by the sum over the list: that the truth is on the list counts as something
observed. So prevalence is the share of items whose truth is the label, which is right
where the other labels of a list are picked alike whichever listed label is the truth.
Labels that annotators gave, and gold labels, are always on the list.

Lists are held sparse: nothing here is as large as items times labels.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import CandidatesError
from consilience.responses import Responses
from consilience.truth.classes import answers_about, gold_sentence
from consilience.truth.coding import gold_codes
from consilience.truth.space import Space, check_lists


def candidates(
    responses: Responses, lists: pd.DataFrame, gold: pd.DataFrame | None = None
) -> Space:
    """Return the space in which each item has a list of labels of its own.

    Parameters
    ----------
    responses
        Responses of kind choice.
    lists
        Columns item, label, and optionally `log_odds`: prior log weight of the label
        for that item (0 where it is missing). Items without rows may be any label.
    gold
        Columns item, label: the truth of some items.

    Raises
    ------
    CandidatesError
        A column is missing or a candidate is not one of the labels.
    TooLargeError
        The lists are too long for memory.
    """
    space = answers_about(responses)
    items, labels = pd.Index(space.unit_item), pd.Index(space.states)
    entry, log_odds = _entries(lists, items, labels)
    golden = np.zeros(0, np.int64)
    sentences = ["the truth of an item was taken to be among its candidates"]
    if gold is not None:
        item, label, unknown = gold_codes(gold, items, labels)
        golden = item.astype(np.int64) * len(labels) + label
        sentences.insert(0, gold_sentence(item, unknown))
    code = _completed(space, entry, golden)
    weight = np.zeros(len(code))
    weight[np.searchsorted(code, entry)] = log_odds
    has_gold = np.zeros(len(items), bool)
    has_gold[golden // len(labels)] = True
    weight[has_gold[code // len(labels)] & ~np.isin(code, golden)] = -np.inf
    state, log_prior = _pack(code, weight, len(items), len(labels))
    return replace(
        space,
        state=state,
        log_prior=log_prior,
        assumptions=(*space.assumptions, *sentences),
    )


def offered_lists(responses: Responses) -> pd.DataFrame | None:
    """Return what was on screen for each item as candidates, or None if not listed.

    Where it differed between those who answered about an item, it is all of it.
    """
    if responses.offer != "listed" or responses.offered is None:
        return None
    offered = responses.offered
    if "item" not in offered:
        keys = [key for key in ("response_id", "annotator") if key in offered]
        where = responses.table[[*keys, "item"]].drop_duplicates()
        offered = offered.merge(where.astype("str"), on=keys)
    return offered[["item", "label"]].drop_duplicates()


def _entries(
    lists: pd.DataFrame, items: pd.Index, labels: pd.Index
) -> tuple[Int[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Return item x label codes of the entries of known items, and their log-odds."""
    for column in ("item", "label"):
        if column not in lists:
            found = ", ".join(map(str, lists.columns))
            msg = f"candidates have columns {found}; a column {column!r} is needed"
            raise CandidatesError(msg)
    label = labels.get_indexer(pd.Index(lists["label"].astype(str)))
    item = items.get_indexer(pd.Index(lists["item"].astype(str)))
    if (label < 0).any():
        first = lists.iloc[int(np.argmax(label < 0))]
        msg = (
            f"candidate {first['label']!r} of item {first['item']!r} is not among the "
            f"{len(labels)} labels; mend it or list all labels with --labels"
        )
        raise CandidatesError(msg)
    here = item >= 0
    log_odds = np.zeros(len(lists))
    if "log_odds" in lists:
        log_odds = pd.to_numeric(lists["log_odds"]).fillna(0).to_numpy(float)
    return item[here].astype(np.int64) * len(labels) + label[here], log_odds[here]


def _completed(
    space: Space, entry: Int[np.ndarray, " E"], golden: Int[np.ndarray, " G"]
) -> Int[np.ndarray, " M"]:
    """Return the codes of all entries in order, each once.

    Answers and gold labels join the list of their item; an item without one gets all
    labels.
    """
    num_labels = len(space.states)
    has = np.zeros(space.num_units, bool)
    has[entry // num_labels] = True
    free = np.flatnonzero(~has)
    if len(free):
        check_lists(space.num_units, num_labels)
    said = space.unit.astype(np.int64) * num_labels + space.answer
    joining = np.concatenate([said[has[space.unit]], golden[has[golden // num_labels]]])
    whole = free[:, None] * num_labels + np.arange(num_labels)
    return np.unique(np.concatenate([entry, joining, whole.ravel()]))


def _pack(
    code: Int[np.ndarray, " M"],
    weight: Float[np.ndarray, " M"],
    num_items: int,
    num_labels: int,
) -> tuple[Int[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    unit, label = np.divmod(code, num_labels)
    length = np.bincount(unit, minlength=num_items)
    size = int(length.max())
    check_lists(num_items, size)
    slot = np.arange(len(code)) - np.repeat(np.cumsum(length) - length, length)
    state = np.zeros((num_items, size), np.int32)
    log_prior = np.full((num_items, size), -np.inf)
    state[unit, slot], log_prior[unit, slot] = label, weight
    return state, log_prior
