"""Responses to be predicted, each with the other answers that are given."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from consilience.objects.layout.space import anonymous
from consilience.ragged import places_within
from consilience.truth import ObjectsSpace
from consilience.truth.named import Named


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contexts:
    """Responses to be predicted, and the answers that are given."""

    space: ObjectsSpace
    unit: Int[np.ndarray, " C"]
    kept: Int[np.ndarray, " C"]
    main: Int[np.ndarray, " C"]
    new_label: Bool[np.ndarray, " C"]
    new_main: Bool[np.ndarray, " C"]
    n: Int[np.ndarray, " C"]

    @property
    def empty(self) -> float:
        """Share of responses with something else that name nothing beside it."""
        new = self.n * self.new_label
        return float(((new * (self.kept == 0)).sum() + 0.5) / (new.sum() + 1))


def contexts(
    space: ObjectsSpace, others: int | None, seed: int, max_responses: int | None = None
) -> Contexts:
    """Return every response with the other answers that are given."""
    named = space.named
    generator = np.random.default_rng(seed)
    if others is None:
        target, n = np.arange(len(space.n)), space.n
    else:
        target = np.repeat(np.arange(len(space.n)), space.n)
        n = np.ones(len(target), np.int64)
    if max_responses is not None and len(target) > max_responses:
        chosen = np.sort(generator.choice(len(target), max_responses, replace=False))
        target, n = target[chosen], n[chosen]
    context, row, count = _conditioned(space, target, others, generator)
    unit = space.unit[target]
    slots = np.arange(named.candidate.shape[1])
    present = (slots == named.dataset_label_slot[unit][:, None]).astype(int)
    bits = (named.mask[row][:, None] >> slots) & 1
    np.maximum.at(present, context, bits)
    place = np.cumsum(present, axis=1) - 1
    moved = np.where(present > 0, 1 << np.maximum(place, 0), 0)
    answered = (named.mask[target][:, None] >> slots) & 1
    layout = replace(
        _with_candidates(named, unit, present, place),
        mask=(bits * moved[context]).sum(1),
        main=place[context, named.main[row]],
    )
    conditioned = anonymous(layout, space.unit_item[unit], context, count)
    is_there = present[np.arange(len(unit)), named.main[target]] > 0
    return Contexts(
        space=conditioned,
        unit=np.arange(len(unit)),
        kept=(answered * moved).sum(1),
        main=np.where(is_there, place[np.arange(len(unit)), named.main[target]], -1),
        new_label=(answered * (1 - present)).any(1),
        new_main=~is_there,
        n=n,
    )


def _with_candidates(
    named: Named,
    unit: Int[np.ndarray, " C"],
    present: Int[np.ndarray, "C S"],
    place: Int[np.ndarray, "C S"],
) -> Named:
    """Return the candidates that are present in each context, at their places there."""
    at, slot = np.nonzero(present)
    here, there = (at, place[at, slot]), (unit[at], slot)
    candidate = np.full(present.shape, -1)
    candidate[here] = named.candidate[there]
    covariates = np.zeros((len(unit), *named.covariates.shape[1:]))
    covariates[here] = named.covariates[there]
    counts = None
    if named.contains_counts is not None:
        counts = np.zeros((*present.shape, 3), np.int64)
        counts[here] = named.contains_counts[there]
    return replace(
        named,
        candidate=candidate,
        dataset_label=named.dataset_label[unit],
        covariates=covariates,
        none=np.zeros(len(unit), np.int64),
        observed=np.ones(len(unit), bool),
        contains_counts=counts,
    )


def _conditioned(
    space: ObjectsSpace,
    target: Int[np.ndarray, " C"],
    others: int | None,
    generator: np.random.Generator,
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return context, row and number of the answers given in each context."""
    context, row = rows_of_units(space, space.unit[target])
    count = space.n[row] - (row == target[context])
    if others is not None:
        one = np.repeat(np.arange(len(row)), count)
        order = np.lexsort([generator.random(len(one)), context[one]])
        one = one[order]
        first = np.searchsorted(context[one], np.arange(len(target)))
        rank = np.arange(len(one)) - first[context[one]]
        count = np.bincount(one[rank < others], minlength=len(row))
    kept = count > 0
    return context[kept], row[kept], count[kept]


def rows_of_units(
    space: ObjectsSpace, units: Int[np.ndarray, " C"]
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return the rows of answers about some units, and the place of each one's unit."""
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    length = start[units + 1] - start[units]
    place = np.repeat(np.arange(len(units)), length)
    return place, start[units][place] + places_within(length)
