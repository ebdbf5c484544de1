"""The tables `labels`, `items` and soft labels: what may be true, and the best label.

For contains, the probability of a label is that of its being present: the sum over
states k of P(state k) w_k, where w_k, the fit's `present`, says how far state k counts
as present; the entropy of an item is the sum over its labels, which is the joint
entropy when they are independent given the responses. Soft labels have one row per item
and one probability per label; for contains it is empty where the label was not asked
about: nothing is known there, which is not the same as 0.

Two labels tie when their probabilities differ by no more than rounding: the first label
stands in the row and `tied` says that it is not alone.

**The items that an expert should see first.** An expert who says what an item is
removes the error that is expected there: one less the probability of its best label
(contains: of what is believed of the pair of item and label). So the least certain come
first, of these the ones with the fewest answers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.posterior.confusion import population_draws
from consilience.posterior.flags import HABIT, RANDOM, flags
from consilience.posterior.stored import (
    BY_HALVES,
    category,
    draws,
    label_values,
    names,
    stored,
)
from consilience.posterior.truth import Candidates, at_prob, candidates
from consilience.presence.space import MEANINGS, PRESENT, shares_by_meaning
from consilience.responses.text import natural_order, text_array
from consilience.when_used import xr

# Probabilities in double precision are equal up to about 1e-15 times the number of
# responses summed, far below the first figure; single precision has seven digits, of
# which a sum of logarithms may lose one.
_TIE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-6}
# Some 2 GB in double precision.
_MAX_CELLS = 250_000_000


def labels(data: xr.DataTree) -> pd.DataFrame:
    """Posterior probability of each label of each item."""
    kept = stored(data, "labels")
    if kept is not None:
        return kept
    if data.attrs["kind"] == "contains":
        return _present_labels(data, at_prob(data))
    items = data["constant_data"]["unit_item"].to_numpy()
    return labels_of_candidates(at_prob(data), items, names(data, "true_class"))


def labels_of_candidates(
    truth: Candidates, items: Shaped[np.ndarray, " U"], states: Shaped[np.ndarray, " K"]
) -> pd.DataFrame:
    """Return the table `labels` of a fit of kind choice or objects."""
    state = np.broadcast_to(truth.state, truth.probability.shape).ravel()
    listed = state >= 0
    place = slice(None) if listed.all() else listed
    unit = np.repeat(np.arange(len(items), dtype=np.int32), truth.state.shape[1])
    return pd.DataFrame(
        {
            "item": category(unit[place], items),
            "label": category(state[place], states),
            "probability": truth.probability.ravel()[place],
            "lower": truth.lower.ravel()[place],
            "upper": truth.upper.ravel()[place],
        }
    )


def by_label(
    data: xr.DataTree, truth: Float[np.ndarray, "D U S"]
) -> Float[np.ndarray, "D N"]:
    """Return posteriors of the truth in the order of the table `labels`."""
    state = candidates(data).state
    if data.attrs["kind"] == "contains":
        weights = data["constant_data"]["present"].to_numpy().astype(np.float64)
        weight = np.where(state >= 0, weights[state], 0.0)
        return np.nansum(weight * truth, axis=2)
    unit, column = np.nonzero(state >= 0)
    return truth[:, unit, column]


def _present_labels(data: xr.DataTree, truth: Candidates) -> pd.DataFrame:
    constant = data["constant_data"]
    item, items = pd.factorize(constant["unit_item"].to_numpy().astype(object))
    label, asked = pd.factorize(constant["unit_label"].to_numpy().astype(object))
    # Units list the labels item by item; over all items they stand in natural order.
    order = natural_order(text_array(asked))
    return pd.DataFrame(
        {
            "item": category(item, items),
            "label": category(np.argsort(order)[label], asked[order]),
            **_presence(truth, constant["present"].to_numpy().astype(np.float64)),
        }
    )


def _presence(
    truth: Candidates, weights: Float[np.ndarray, " K"]
) -> dict[str, Float[np.ndarray, " U"]]:
    """P(the label asked about is present) of each unit, with bounds.

    The bounds of a sum of several states do not follow from the states' own bounds.
    They are stated where presence, or absence, is one state alone; elsewhere NaN.
    """
    weight = np.where(truth.state >= 0, weights[truth.state], 0.0)
    probability = np.nansum(weight * truth.probability, axis=1)
    lower = upper = np.full(len(probability), np.nan)
    if np.array_equal(np.sort(weights)[-2:], [0, 1]) and weights.sum() == 1:
        lower, upper = _state_bounds(truth, int(weights.argmax()))
    elif weights.sum() == len(weights) - 1 and weights.min() == 0:
        absent = _state_bounds(truth, int(weights.argmin()))
        lower, upper = 1 - absent[1], 1 - absent[0]
    return {"probability": probability, "lower": lower, "upper": upper}


def _state_bounds(
    truth: Candidates, state: int
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, " U"]]:
    """Bounds of one state's probability; zero for a unit that does not have it."""
    chosen = truth.state == state
    lower, upper = (
        np.where(chosen, bound, 0.0).sum(axis=1) for bound in (truth.lower, truth.upper)
    )
    return lower, upper


def soft_labels(data: xr.DataTree) -> pd.DataFrame:
    """Spread the probabilities out, one column per label."""
    table = labels(data)
    items, names = table["item"].cat.categories, table["label"].cat.categories
    if "item" in names:
        raise OptionError(
            "soft labels: a label is named 'item', as is the column of the items; "
            "export the table `labels`, or rename that label"
        )
    if len(items) * len(names) > _MAX_CELLS:
        raise OptionError(
            f"soft labels: {len(items):,} items by {len(names):,} labels are too many "
            f"for one table (at most {_MAX_CELLS:,} cells); export the table "
            "`labels`, which lists candidates only"
        )
    absent = np.nan if data.attrs["kind"] == "contains" else 0.0
    wide = np.full((len(items), len(names)), absent)
    wide[table["item"].cat.codes, table["label"].cat.codes] = table["probability"]
    frame = pd.DataFrame(wide, columns=names)
    frame.insert(0, "item", items)
    texts = item_texts(data)
    if texts and "text" not in names:
        frame.insert(1, "text", items.map(texts).astype("str"))
    return frame


def item_texts(data: xr.DataTree) -> dict[str, str]:
    """Return the beginning of what shows each item, where it is known."""
    constant = data["constant_data"]
    if "item_text" not in constant:
        return {}
    pairs = (constant[name].to_numpy().tolist() for name in ("unit_item", "item_text"))
    return dict(zip(*pairs, strict=True))


def share_present(data: xr.DataTree) -> pd.DataFrame | None:
    """Return the share of pairs present by each meaning, the reported one first.

    Columns meaning, share, lower and upper; None where neither a parameter nor tables
    of annotators say it.
    """
    values = _shares_present(data)
    if values is None:
        return None
    lower, upper = bounds(values, data.attrs["prob"])
    table = pd.DataFrame(
        {"meaning": MEANINGS, "share": values.mean(0), "lower": lower, "upper": upper}
    )
    return table.dropna(subset="share", ignore_index=True)


def _shares_present(data: xr.DataTree) -> Float[np.ndarray, "S V"] | None:
    values = draws(data, "share_present", ("meaning",))
    if values is not None or data.attrs["kind"] != "contains":
        return values
    answers = population_draws(data)
    prevalence = draws(data, "prevalence", ("true_class",))
    if answers is None or prevalence is None:
        return None
    present = data["constant_data"]["present"].to_numpy().astype(float)
    reported = float((candidates(data).probability @ present).mean())
    return shares_by_meaning(answers, prevalence, present, reported)


def with_meaning(data: xr.DataTree) -> xr.DataTree:
    """Return a fit of contains whose assumptions say what makes a label present."""
    table = share_present(data)
    if table is None:
        return data
    prior = json.loads(data.attrs["settings"])["prior"]
    two = "it is in the upper of two states that tell most about the answers"
    three = "in the upper of three, an unclear one counting half"
    how = two if len(names(data, "true_class")) == 2 else f"it is {three}"
    if BY_HALVES in data.children:
        how = (
            f"{two}; or, with equal weight, {three}; and, where its answers are few, "
            "it looks more like labels that are there than like labels that are not"
        )
    elif "threshold" in prior:
        share = "half" if prior["threshold"] == 0.5 else f"{prior['threshold']:.0%}"
        how = f"more than {share} of all people would say yes, a maybe counting half"
    elif prior.get("panel"):
        how = (
            f"at least half of {prior['panel']:g} new annotators would endorse it, a "
            f"maybe counting {prior['maybe']:g}"
        )
    elif "share_present" in data["posterior"]:
        how = (
            "it looks more like labels that are there than like labels that are not "
            "(the upper of two components of equal spread, and in part the cut that "
            "tells most about an answer)"
        )
    shown = [f"{row.meaning} {row.share:.0%}" for row in table.itertuples()]
    share = shown[0].removeprefix(MEANINGS[0]).strip()
    sentence = (
        f"{PRESENT} {how}: {share} of the pairs. By other meanings: "
        f"{'; '.join(shown[1:])}"
    )
    changed = data.copy()
    assumed = [*json.loads(data.attrs["assumptions"]), sentence]
    changed.attrs["assumptions"] = json.dumps(assumed, ensure_ascii=False)
    return changed


def items(data: xr.DataTree) -> pd.DataFrame:
    """Best label of each item, its probability, and what is left uncertain."""
    kept = stored(data, "items")
    if kept is not None:
        return kept
    width = _TIE[np.dtype(data["truth"]["probability"].dtype)]
    if data.attrs["kind"] == "contains":
        return _contains_items(data, width)
    return _choice_items(data, width)


def _choice_items(data: xr.DataTree, width: float) -> pd.DataFrame:
    """Items of choice, straight from the rectangle: the long table takes ten times."""
    constant = data["constant_data"]
    truth = candidates(data)
    listed = truth.state >= 0
    given = np.where(listed, truth.probability, -np.inf)
    highest = given.max(axis=1)
    leads = listed & (given >= highest[:, None] - width)
    label_names = names(data, "true_class")
    best = np.where(leads, truth.state, len(label_names)).min(axis=1)
    unit_item = constant["unit_item"].to_numpy()
    table = pd.DataFrame(
        {
            "item": category(np.arange(len(unit_item)), unit_item),
            "label": category(
                np.where(best == len(label_names), -1, best), label_names
            ),
            "probability": np.where(np.isneginf(highest), np.nan, highest),
            "entropy": np.nansum(_entropy_terms(truth.probability), axis=1),
            "responses": constant["num_responses"].to_numpy().astype(np.int64),
            "tied": leads.sum(axis=1) > 1,
        }
    )
    if not data.attrs.get("ordered"):
        return table
    dense = np.zeros((len(unit_item), len(label_names)))
    rows = np.arange(len(unit_item))[:, None]
    np.add.at(dense, (rows, np.maximum(truth.state, 0)), np.where(listed, given, 0.0))
    return table.assign(**_middle(dense, label_names))


def _middle(
    probability: Float[np.ndarray, "I K"], label_names: Shaped[np.ndarray, " K"]
) -> dict[str, Any]:
    """Return the posterior median and mean of ordered labels.

    The mean is that of the labels where they are numbers, and of their places, from
    one, where they are not.
    """
    half = (probability.cumsum(1) < 0.5 * probability.sum(1, keepdims=True)).sum(1)
    half = np.minimum(half, len(label_names) - 1)
    mean = probability @ label_values(label_names) / probability.sum(1)
    return {"median": category(half, label_names), "mean": mean}


def _contains_items(data: xr.DataTree, width: float) -> pd.DataFrame:
    """Items of contains, summed up over the labels asked about each."""
    table = _present_labels(data, candidates(data))
    items, label_names = (table[name].cat.categories for name in ("item", "label"))
    item, label = (
        table[name].cat.codes.to_numpy(np.int64) for name in ("item", "label")
    )
    present = table["probability"].to_numpy()
    highest = np.full(len(items), -np.inf)
    np.maximum.at(highest, item, present)
    leads = present >= highest[item] - width
    best = np.full(len(items), len(label_names))
    np.minimum.at(best, item[leads], label[leads])

    def total(values: Shaped[np.ndarray, " U"]) -> Float[np.ndarray, " I"]:
        return np.bincount(item, values, len(items))

    responses = total(data["constant_data"]["num_responses"].to_numpy())
    entropy = _entropy_terms(present) + _entropy_terms(1 - present)
    return pd.DataFrame(
        {
            "item": category(np.arange(len(items)), items),
            "label": category(best, label_names),
            "probability": highest,
            "entropy": total(entropy),
            "responses": responses.astype(np.int64),
            "tied": total(leads) > 1,
            "present": _sets(
                item, present, label_names.astype("str")[label], len(items)
            ),
        }
    )


def _sets(
    item: Shaped[np.ndarray, " U"],
    present: Float[np.ndarray, " U"],
    label: pd.Index,
    number: int,
) -> pd.Series:
    """Return the labels of each item that are more likely there than not."""
    rows = np.flatnonzero(present >= 0.5)
    rows = rows[np.lexsort((-present[rows], item[rows]))]
    texts = label[rows].tolist()
    ends = np.cumsum(np.bincount(item[rows], minlength=number))
    starts = np.append(0, ends[:-1])
    sets = [", ".join(texts[i:j]) for i, j in zip(starts, ends, strict=True)]
    return pd.Series(sets, dtype="str")


def _entropy_terms(
    probability: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """-p log p, which is 0 where p is 0; rounding below 0 or above 1 is cut off."""
    p = np.clip(probability, 0.0, 1.0)
    return -p * np.log(np.where(p > 0, p, 1.0))


MOST = 100  # items
_SPLIT = 0.6  # share of the most frequent answer up to which answers are split
_MEANS = {"yes": "present", "no": "absent"}


def items_to_check(data: xr.DataTree) -> pd.DataFrame:
    """Return the least certain items, or pairs of item and label, at most a hundred."""
    if data.attrs["kind"] == "objects" or "observed_data" not in data.children:
        raise OptionError(
            "the table check is of kind choice and contains; of objects, see the items "
            "of the highest entropy in the table items"
        )
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
    text_of = item_texts(data)
    shown = constant["unit_item"].to_numpy()[units].astype(str)
    idle = frozenset(
        name
        for name, noticed in flags(data).items()
        if {flag.name for flag in noticed} & {RANDOM, HABIT}
    )
    believed = classes[best_state[units, 0]]
    columns = {
        "item": pd.Categorical(shown),
        **({"text": [text_of[item] for item in shown]} if text_of else {}),
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
    names_of = ["answers", "annotators", "reason"]
    described = pd.DataFrame(texts, columns=names_of, dtype="str")
    return pd.concat([pd.DataFrame(columns), described], axis=1)


def _answers(data: xr.DataTree, units: np.ndarray) -> list[list[tuple[str, str, int]]]:
    """Return who gave which answer to some units, and how often."""
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
    leads = total and [number for _, number in ranked].count(ranked[0][1]) == 1
    if leads and _MEANS.get(ranked[0][0], ranked[0][0]) != believed:
        why.append(f"most say {ranked[0][0]}, the model {believed}")
    unseen = [who for who, _, _ in given if who in idle]
    if unseen:
        why.append(f"{', '.join(unseen)} may not look")
    return (
        ", ".join(f"{number} {answer}" for answer, number in ranked),
        ", ".join(f"{who} {answer}" for who, answer, _ in given),
        "; ".join(why) or "the answers are weak evidence",
    )
