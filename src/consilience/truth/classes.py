"""Choice over classes: every label can be the truth of every item."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OneLabelError
from consilience.responses import Responses
from consilience.truth.coding import code_annotators, gold_codes, in_order_of_unit
from consilience.truth.space import Space, check_size


def classes(responses: Responses, gold: pd.DataFrame | None = None) -> Space:
    """Return the space in which any of the labels can be true of any item.

    Parameters
    ----------
    responses
        Responses of kind choice.
    gold
        Columns item, label: the truth of some items; several rows of an item leave
        each of them possible.

    Raises
    ------
    OneLabelError
        There is a single label, so nothing can be asked.
    TooLargeError
        Confusions of every annotator would not fit in memory.
    GoldError
        A gold label is not one of the labels.
    """
    table = responses.table
    answered = table[table["label"].notna()]
    labels = responses.labels["label"].astype(str)
    if len(labels) == 1:
        msg = (
            f"all answers are {labels.iloc[0]!r}: with one label there is nothing to "
            "infer; list the other labels that were on offer with --labels"
        )
        raise OneLabelError(msg)
    annotator, names, known = code_annotators(answered["annotator"])
    check_size(len(names), len(labels), len(labels))
    items = table["item"].cat.categories
    unit, annotator, answer, n = in_order_of_unit(
        answered["item"].cat.codes.to_numpy().astype(np.int32),
        annotator,
        answered["label"].cat.codes.to_numpy().astype(np.int32),
        answered["n"].to_numpy(),
    )
    log_prior = np.zeros((1, len(labels)))
    assumptions = responses.assumptions
    if gold is not None:
        item, label, unknown = gold_codes(gold, items, pd.Index(labels))
        log_prior = _only_gold(item, label, len(items), len(labels))
        assumptions = (*assumptions, _gold_sentence(item, unknown))
    return Space(
        kind="choice",
        unit_item=items.to_numpy(dtype=object),
        unit_label=None,
        annotators=names,
        known=known,
        states=tuple(labels),
        answers=tuple(labels),
        unit=unit,
        annotator=annotator,
        answer=answer,
        n=n,
        state=np.arange(len(labels), dtype=np.int32)[None],
        log_prior=log_prior,
        votes=np.eye(len(labels)),
        present=None,
        assumptions=assumptions,
    )


def _only_gold(
    item: Int[np.ndarray, " G"], label: Int[np.ndarray, " G"], items: int, labels: int
) -> Float[np.ndarray, "U K"]:
    possible = np.zeros((items, labels), bool)
    possible[item, label] = True
    possible[~possible.any(1)] = True
    return np.where(possible, 0.0, -np.inf)


def _gold_sentence(item: Int[np.ndarray, " G"], unknown: int) -> str:
    sentence = f"the truth of {len(np.unique(item)):,} items was given as gold labels"
    if unknown:
        sentence += (
            f"; {unknown:,} gold rows name items without responses and are unused"
        )
    return sentence
