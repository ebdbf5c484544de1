"""The items that an expert should see first, with their answers, annotators and why.

An expert who says what an item is removes the error that is expected there: one less
the probability of its best label (contains: of what is believed of the pair of item and
label). So the least certain come first, of these the ones with the fewest answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.posterior.flags import HABIT, RANDOM, flags
from consilience.posterior.stored import category, names
from consilience.posterior.truth import candidates
from consilience.when_used import xr

MOST = 100  # items
_SPLIT = 0.6  # share of the most frequent answer up to which answers are split
_MEANS = {"yes": "present", "no": "absent"}


def items_to_check(data: xr.DataTree) -> pd.DataFrame:
    """Return the least certain items, or pairs of item and label, at most a hundred."""
    if data.attrs["kind"] == "objects" or "observed_data" not in data.children:
        msg = (
            "the table check is of kind choice and contains; of objects, see the items "
            "of the highest entropy in the table items"
        )
        raise OptionError(msg)
    constant, truth = data["constant_data"], candidates(data)
    probability = np.nan_to_num(truth.probability)
    classes = names(data, "true_class")
    if data.attrs["kind"] == "contains":
        present = (probability * constant["present"].to_numpy()[truth.state]).sum(1)
        probability = np.stack([present, 1 - present], 1)
        state = np.broadcast_to([0, 1], probability.shape)
        classes = np.array(["present", "absent"], object)
    else:
        state = truth.state
    order = np.argsort(-probability, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(probability, order, 1)
    best_state = np.take_along_axis(state, order, 1)
    number = constant["num_responses"].to_numpy()
    units = np.lexsort((number, best[:, 0]))[:MOST]
    given = _answers(data, units)
    idle = frozenset(
        name
        for name, noticed in flags(data).items()
        if {flag.name for flag in noticed} & {RANDOM, HABIT}
    )
    believed = classes[best_state[units, 0]]
    columns = {
        "item": pd.Categorical(constant["unit_item"].to_numpy()[units].astype(str)),
        "label": category(best_state[units, 0], classes),
        "probability": best[units, 0],
    }
    if data.attrs["kind"] == "contains":
        asked = constant["unit_label"].to_numpy()[units].astype(str)
        columns["label"] = pd.Categorical(asked)
        columns["probability"] = probability[units, 0]
    elif order.shape[1] > 1:
        columns["other_label"] = category(best_state[units, 1], classes)
    each_with = zip(given, believed, strict=True)
    texts = [_described(each, str(label), idle) for each, label in each_with]
    names_of = ["answers", "annotators", "why"]
    described = pd.DataFrame(texts, columns=names_of, dtype="str")
    return pd.concat([pd.DataFrame(columns), described], axis=1)


def _answers(data: xr.DataTree, units: np.ndarray) -> list[list[tuple[str, str, int]]]:
    """Return who said what of some units, and how often."""
    observed = data["observed_data"]
    unit = observed["item"].to_numpy()
    place = np.full(data["constant_data"].sizes["item"], -1)
    place[units] = np.arange(len(units))
    people, given = names(data, "annotator"), names(data, "given_class")
    given_by: list[list[tuple[str, str, int]]] = [[] for _ in units]
    rows = np.flatnonzero(place[unit] >= 0)
    who, answer, number = (
        observed[name].to_numpy()[rows] for name in ("annotator", "answer", "n")
    )
    each = zip(place[unit[rows]], people[who], given[answer], number, strict=True)
    for at, name, text, times in each:
        given_by[at].append((str(name), str(text), int(times)))
    return given_by


def _described(
    given: Sequence[tuple[str, str, int]], believed: str, idle: frozenset[str]
) -> tuple[str, str, str]:
    """Return the answers, by whom they are, and why an expert should see the item."""
    counted: Counter[str] = Counter()
    for _, answer, number in given:
        counted[answer] += number
    total, ranked = counted.total(), counted.most_common()
    why = []
    if total < 2:
        why.append("one answer" if total else "no answer")
    elif ranked[0][1] <= _SPLIT * total:
        why.append("answers are split")
    if total and _MEANS.get(ranked[0][0], ranked[0][0]) != believed:
        why.append(f"most say {ranked[0][0]}, the model {believed}")
    unseen = [who for who, _, _ in given if who in idle]
    if unseen:
        why.append(f"{', '.join(unseen)} may not look")
    return (
        ", ".join(f"{number} {answer}" for answer, number in ranked),
        ", ".join(f"{who} {answer}" for who, answer, _ in given),
        "; ".join(why) or "what was said is weak evidence",
    )
