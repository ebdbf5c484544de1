"""Choice over candidates: only the labels listed for an item can be its truth.

The prior of a state is the prevalence of its label times the weight of its list entry,
not divided by the sum over the list: that the truth is on the list counts as something
observed. Labels that annotators gave, and gold labels, are always on the list.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import CandidatesError
from consilience.responses import Responses
from consilience.truth.classes import classes
from consilience.truth.coding import gold_codes
from consilience.truth.space import Space


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
    """
    space = classes(responses, gold)
    items = pd.Index(space.unit_item)
    labels = pd.Index(space.states)
    listed, weight = _listed(lists, items, labels)
    listed[space.unit, space.answer] |= listed[space.unit].any(1)
    if gold is not None:
        item, label, _ = gold_codes(gold, items, labels)
        listed[item, label] |= listed[item].any(1)
    listed[~listed.any(1)] = True
    state, log_prior = _pack(listed, weight + space.log_prior)
    sentence = "the truth of an item was taken to be among its candidates"
    return replace(
        space,
        state=state,
        log_prior=log_prior,
        assumptions=(*space.assumptions, sentence),
    )


def offered_lists(responses: Responses) -> pd.DataFrame | None:
    """Return what was on screen for each item as candidates, or None if not listed."""
    if responses.offer != "listed" or responses.offered is None:
        return None
    offered = responses.offered
    if "item" not in offered:
        where = responses.table[["response_id", "item"]].drop_duplicates()
        offered = offered.merge(where, on="response_id")
    return offered[["item", "label"]].drop_duplicates()


def _listed(
    lists: pd.DataFrame, items: pd.Index, labels: pd.Index
) -> tuple[Bool[np.ndarray, "U K"], Float[np.ndarray, "U K"]]:
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
    listed = np.zeros((len(items), len(labels)), bool)
    listed[item[here], label[here]] = True
    weight = np.zeros((len(items), len(labels)))
    if "log_odds" in lists:
        log_odds = pd.to_numeric(lists["log_odds"]).fillna(0).to_numpy(float)
        weight[item[here], label[here]] = log_odds[here]
    return listed, weight


def _pack(
    listed: Bool[np.ndarray, "U K"], weight: Float[np.ndarray, "U K"]
) -> tuple[Int[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    size = int(listed.sum(1).max())
    state = np.argsort(~listed, axis=1, kind="stable")[:, :size].astype(np.int32)
    here = np.take_along_axis(listed, state, 1)
    log_prior = np.where(here, np.take_along_axis(weight, state, 1), -np.inf)
    return np.where(here, state, 0), log_prior
