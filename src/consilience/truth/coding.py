"""Codes of annotators and units, shared by all truth spaces.

**Units that look alike, looked at once: exact, and the fewer answers the faster.** Two
units are alike if they got the same answers from the same annotators, can be true in
the same ways, with the same covariates. Given parameters that units share, their
likelihoods are equal; so one stands for all, counted as often.

**Earlier answers to questions of known truth, as units behind those of a study.** They
say what annotators are like, by the same likelihood as all other answers; so for every
model and engine they are the prior that Bayes makes of them. Each is a unit of its own,
because it is not known which of them were about the same item; and the truth of none is
drawn with the prevalence, because whoever chose the questions chose it.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import csr_array

from consilience.errors import DataError, SourceError
from consilience.truth.padding import with_units
from consilience.truth.space import (
    ANONYMOUS,
    ChoiceSpace,
    ContainsSpace,
    ObjectsSpace,
    Space,
    rows_of_units,
)


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
        raise SourceError(
            "no answer is left to fit: every question was skipped, or the file is empty"
        )
    if (unit[1:] >= unit[:-1]).all():
        return (unit, *columns)
    order = np.argsort(unit, kind="stable")
    return tuple(column[order] for column in (unit, *columns))


_ROUNDING = 1e-9  # of a sum of probabilities


def gold_weights(
    gold: pd.DataFrame, key: list[str], rows: pd.MultiIndex
) -> Float[np.ndarray, " N"]:
    """Return for how many each row stands: one over the probability of being drawn."""
    first = gold.drop_duplicates(key)
    names = pd.MultiIndex.from_frame(first[key].astype(str))
    chance = pd.Series(gold_chances(first, "inclusion"), names)
    return 1 / chance.reindex(rows).to_numpy(float)


def gold_chances(
    gold: pd.DataFrame, column: str = "probability"
) -> Float[np.ndarray, " R"]:
    """Return the probability that each row of gold is right, one where none states."""
    if column not in gold:
        return np.ones(len(gold))
    chance = pd.to_numeric(gold[column], errors="coerce").to_numpy(float)
    wrong = ~((chance > 0) & (chance <= 1))
    if wrong.any():
        first = gold.iloc[int(np.argmax(wrong))]
        raise DataError(
            f"gold: item {first['item']!r}, label {first['label']!r} has {column} "
            f"{first[column]!r}; give a number above 0, at most 1, or leave the column "
            "as it was written"
        )
    return chance


def gold_codes(
    gold: pd.DataFrame, items: pd.Index, labels: pd.Index
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return codes of items and labels of gold; -1 for items that are not known."""
    label = labels.get_indexer(pd.Index(gold["label"].astype(str)))
    if (label < 0).any():
        first = gold.iloc[int(np.argmax(label < 0))]
        raise DataError(
            f"gold label {first['label']!r} of item {first['item']!r} is not among the "
            f"{len(labels)} labels of the responses; correct it or add it to `labels=`"
        )
    return items.get_indexer(pd.Index(gold["item"].astype(str))), label


class GoldRows(NamedTuple):
    """Items with gold, and how likely it is by each label; how many are not known."""

    item: Int[np.ndarray, " I"]
    log_likelihood: Float[np.ndarray, "I K"]
    unknown: int


def gold_rows(gold: pd.DataFrame, items: pd.Index, labels: pd.Index) -> GoldRows:
    """Return what gold says of the labels of items.

    Labels that gold names have the probabilities that it states, or the shares of the
    experts in the column annotator; the others of the item share what is left.
    """
    code, label = gold_codes(gold, items, labels)
    here, chance = code >= 0, gold_chances(gold)
    item, place = np.unique(code[here], return_inverse=True)
    stated = np.zeros((len(item), len(labels)))
    if "annotator" in gold:
        np.add.at(stated, (place, label[here]), chance[here])
        stated /= np.bincount(place, minlength=len(item))[:, None]
    else:
        stated[place, label[here]] = chance[here]
    rest = 1 - stated.sum(1, keepdims=True)
    rest = np.where(rest > _ROUNDING, rest, 0.0)
    rest /= np.maximum((stated == 0).sum(1, keepdims=True), 1)
    with np.errstate(divide="ignore"):
        log_likelihood = np.log(np.where(stated > 0, stated, rest))
    return GoldRows(item, log_likelihood, int((~here).sum()))


def some_units[S: Space](space: S, units: Int[np.ndarray, " B"]) -> S:
    """Return the space of some units and all annotators."""
    place = np.full(space.num_units, -1, space.unit.dtype)
    place[units] = np.arange(len(units))
    part = some_answers(space, place[space.unit] >= 0)
    return replace(
        part,
        unit=place[part.unit],
        unit_item=space.unit_item[units],
        state=rows_of_units(space.state, units),
        log_prior=rows_of_units(space.log_prior, units),
        **_of_units(part, units),
    )


def _of_units(space: Space, units: Int[np.ndarray, " B"]) -> dict[str, Any]:
    """Return what only one kind of response has, of some units."""
    match space:
        case ChoiceSpace():
            return {
                "covariates": space.covariates.of_units(units),
                "asides": space.asides.of_units(units, space.num_units),
                "in_population": rows_of_units(space.in_population, units),
            }
        case ContainsSpace():
            return {
                "unit_label": space.unit_label[units],
                "groups": space.groups.of_units(units),
                "similar_sets": space.similar_sets.of_units(units),
                "covariates": space.covariates.of_units(units),
            }
        case ObjectsSpace():
            return {"named": space.named.of_units(units)}
    return {}


def some_answers[S: Space](space: S, kept: Bool[np.ndarray, " N"]) -> S:
    """Return the space of all units and annotators with some of the answers."""
    of_kind: dict[str, Any] = {}
    if isinstance(space, ObjectsSpace):
        of_kind = {"named": space.named.of_answers(kept)}
    return replace(
        space,
        unit=space.unit[kept],
        annotator=space.annotator[kept],
        answer=space.answer[kept],
        n=space.n[kept],
        **of_kind,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """One unit of each pattern."""

    space: Space
    count: Float[np.ndarray, " P"]
    place: Int[np.ndarray, " U"]


def merge_identical(space: Space, *, annotators: bool = True) -> Merged:
    """Return one unit for all that look alike."""
    pattern = _answer_codes(space, annotators=annotators)
    sides = (space.state, space.log_prior, space.prevalent, *_covariates(space))
    for side in sides:
        if len(side) == space.num_units:
            flat = side.reshape(len(side), -1)
            pattern = _row_codes(np.stack([pattern, _row_codes(flat)], 1))
    _, first, place = np.unique(pattern, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.argsort(order)[place]
    count = np.bincount(place).astype(float)
    return Merged(some_units(space, first[order]), count, place)


def _covariates(space: Space) -> list[Shaped[np.ndarray, "U ..."]]:
    """Return groups and prior covariates of units, where there are any."""
    rows: list[Shaped[np.ndarray, "U ..."]] = []
    if isinstance(space, ContainsSpace) and len(space.groups.names):
        rows.append(space.groups.code[:, None])
    if isinstance(space, (ChoiceSpace, ContainsSpace)) and space.covariates.names:
        rows += [space.covariates.value, space.covariates.observed[:, None]]
    return rows


def _answer_codes(space: Space, *, annotators: bool) -> Int[np.ndarray, " U"]:
    """Return a code of each unit's answers, the same for the same in any order."""
    who = space.annotator.astype(np.int64) if annotators else 0
    answers = len(space.answers)
    at = space.unit, who * answers + space.answer
    counts = csr_array((space.n, at), (space.num_units, space.num_annotators * answers))
    rows = np.empty(space.num_units, object)
    for unit, (start, end) in enumerate(pairwise(counts.indptr)):
        cells, times = counts.indices[start:end], counts.data[start:end]
        rows[unit] = cells.tobytes() + times.tobytes()
    return pd.factorize(rows)[0]


def _row_codes(rows: Shaped[np.ndarray, "U _"]) -> Int[np.ndarray, " U"]:
    """Return a code of each row, equal where rows are."""
    if not rows.shape[1]:
        return np.zeros(len(rows), np.int64)
    code: Int[np.ndarray, " U"] = np.unique(rows, axis=0, return_inverse=True)[1]
    return code.astype(np.int64)


def with_earlier_answers(
    space: ChoiceSpace,
    annotator: Int[np.ndarray, " E"],
    state: Int[np.ndarray, " E"],
    answer: Int[np.ndarray, " E"],
) -> ChoiceSpace:
    """Return the space with one more unit for each earlier answer, behind others."""
    more, units = len(state), space.num_units
    joined = with_units(space, more)
    lists = joined.state
    log_prior = np.broadcast_to(joined.log_prior, (units + more, lists.shape[1])).copy()
    if space.ragged:
        lists = np.broadcast_to(lists, log_prior.shape).copy()
        lists[units:] = 0
        lists[units:, 0] = state
        log_prior[units:, 1:] = -np.inf
        log_prior[units:, 0] = 0.0
    else:
        log_prior[units:] = np.where(state[:, None] == lists[0], 0.0, -np.inf)
    return replace(
        joined,
        unit=_followed(space.unit, units + np.arange(more)),
        annotator=_followed(space.annotator, annotator),
        answer=_followed(space.answer, answer),
        n=_followed(space.n, np.ones(more, int)),
        state=lists,
        log_prior=log_prior,
        in_population=np.arange(units + more) < units,
    )


def _followed(
    first: Int[np.ndarray, " N"], then: Int[np.ndarray, " E"]
) -> Int[np.ndarray, " M"]:
    return np.append(first, then.astype(first.dtype))
