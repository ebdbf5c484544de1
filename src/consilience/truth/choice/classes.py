"""Choice over classes: every label can be the truth of every item."""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OneLabelError
from consilience.responses import Responses
from consilience.truth.coding import code_annotators, gold_codes, in_order_of_unit
from consilience.truth.covariates import no_covariates
from consilience.truth.pairs import no_pairs
from consilience.truth.space import ChoiceSpace, check_lists, no_groups


def classes(responses: Responses, gold: pd.DataFrame | None = None) -> ChoiceSpace:
    """Return the space in which any of the labels can be true of any item."""
    space = answers_about(responses)
    check_lists(space.num_units, len(space.states))
    if gold is None:
        return space
    item, label, unknown = gold_codes(
        gold, pd.Index(space.unit_item), pd.Index(space.states)
    )
    return replace(
        space,
        log_prior=_only_gold(item, label, space.num_units, len(space.states)),
        assumptions=(*space.assumptions, gold_sentence(item, unknown)),
    )


def answers_about(responses: Responses) -> ChoiceSpace:
    """Return the answers of kind choice, with nothing known of the truth."""
    answered = responses.table[["item", "annotator", "label", "n"]]
    given = answered["label"].cat.codes.to_numpy() >= 0
    if not given.all():
        answered = answered[given]
    labels = responses.labels["label"].astype(str)
    if len(labels) == 1:
        msg = (
            f"all answers are {labels.iloc[0]!r}: with one label there is nothing to "
            "infer; list the other labels that were on offer with `labels=`"
        )
        raise OneLabelError(msg)
    items = answered["item"].cat.categories.to_numpy(dtype=object)
    annotator, names, identified = code_annotators(answered["annotator"])
    unit, annotator, answer, n = in_order_of_unit(
        answered["item"].cat.codes.to_numpy().astype(np.int32),
        annotator,
        answered["label"].cat.codes.to_numpy().astype(np.int32),
        answered["n"].to_numpy(),
    )
    return ChoiceSpace(
        unit_item=items,
        annotators=names,
        identified=identified,
        annotator_groups=no_groups(len(names)),
        states=tuple(labels),
        answers=tuple(labels),
        unit=unit,
        annotator=annotator,
        answer=answer,
        n=n,
        state=np.arange(len(labels), dtype=np.int32)[None],
        log_prior=np.zeros((1, len(labels))),
        votes=np.eye(len(labels)),
        assumptions=responses.assumptions,
        parent=responses.labels["parent"].fillna("").to_numpy(dtype=object),
        similar=no_pairs(),
        covariates=no_covariates(len(items), 0),
    )


def _only_gold(
    item: Int[np.ndarray, " G"], label: Int[np.ndarray, " G"], items: int, labels: int
) -> Float[np.ndarray, "U K"]:
    possible = np.zeros((items, labels), bool)
    possible[item, label] = True
    possible[~possible.any(1)] = True
    return np.where(possible, 0.0, -np.inf)


def gold_sentence(item: Int[np.ndarray, " G"], unknown: int) -> str:
    """Say of how many items the truth was given, and how many rows are unused."""
    sentence = f"the truth of {len(np.unique(item)):,} items was given as gold labels"
    if unknown:
        sentence += (
            f"; {unknown:,} gold rows name items without responses and are unused"
        )
    return sentence
