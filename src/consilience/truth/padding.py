"""Spaces filled up to one of few sizes, so that what is compiled for one serves others.

Programs are compiled for exact shapes. What is added was never answered and never
answers: units without answers, which whoever counts units must give no weight, and
annotators without answers.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from consilience.truth.space import (
    MAX_LISTED,
    MAX_NUMBERS,
    ChoiceSpace,
    ContainsSpace,
    Covariates,
    ObjectsSpace,
    Space,
)


def next_size(number: int, least: int = 1) -> int:
    """Return the next of the sizes 1, 5/4, 3/2, 7/4 times a power of two.

    It is at most a quarter larger than the number, or by the least step; up to eight,
    the number itself.

    Parameters
    ----------
    number
        How many there are.
    least
        The least step between two sizes, a power of two.

    Examples
    --------
    >>> [next_size(number) for number in (0, 7, 9, 20, 21, 411)]
    [0, 7, 10, 20, 24, 448]
    >>> [next_size(number, 32) for number in (0, 7, 33, 411)]
    [0, 32, 64, 448]
    """
    step = max(1 << max((number - 1).bit_length() - 3, 0), least)
    return -(-number // step) * step


# Of objects: another study of so few items, or fewer, has mostly the same sizes. Where
# items are more, hardly any two have, and what is added would cost time for nothing.
MANY = 1000
ITEMS = 256  # steps of the numbers of items of each number of candidates


def padded(space: Space) -> Space:
    """Return the space with further units and annotators, behind those that there are.

    Each further unit is an item of its own, and any state on its list may be true.
    There are none where tables or lists would become too large. Items of objects are
    filled up by the number of their candidates, where they are not many.
    """
    cells = len(space.states) * len(space.answers)
    annotators = next_size(space.num_annotators)
    if annotators * cells <= MAX_NUMBERS:
        space = _with_annotators(space, annotators - space.num_annotators)
    if isinstance(space, ObjectsSpace):
        return space if space.num_units > MANY else _with_items(space)
    units = next_size(space.num_units)
    if units * space.state.shape[1] <= MAX_LISTED:
        space = with_units(space, units - space.num_units)
    return space


def with_units[S: Space](space: S, more: int) -> S:
    """Return the space with further units, each of them an item without any answer."""
    listed = np.arange(space.state.shape[1])
    alone = np.where(listed == 0, 0.0, -np.inf)
    open_to = alone if len(space.state) > 1 else space.log_prior.max(0)
    common: dict[str, Any] = {
        "unit_item": _with_names(space.unit_item, more),
        "state": _with_rows(space.state, more if len(space.state) > 1 else 0, value=0),
        "log_prior": _with_rows(
            space.log_prior, more if len(space.log_prior) > 1 else 0, value=open_to
        ),
    }
    match space:
        case ContainsSpace():
            groups, similar = space.groups, space.similar_sets
            label = space.unit_label
            return replace(
                space,
                **common,
                unit_label=_with_rows(label, more, value=label[0]),
                groups=replace(groups, code=_with_rows(groups.code, more, value=0)),
                similar_sets=replace(
                    similar,
                    of_unit=_with_codes(similar.of_unit, more),
                    shown=_with_codes(similar.shown, more),
                ),
                covariates=_covariates(space.covariates, more),
            )
        case ChoiceSpace():
            drawn = space.in_population
            rows = more if len(drawn) > 1 else 0
            return replace(
                space,
                **common,
                covariates=_covariates(space.covariates, more),
                in_population=_with_rows(drawn, rows, value=False),
            )
        case _:
            return replace(space, **common)


def step_of_size(step: int, candidates: int) -> int:
    """Return a smaller step for items of objects that have more than 64 blocks each."""
    return max(step >> max(candidates - 6, 0), 1)


def _with_annotators(space: Space, more: int) -> Space:
    return replace(
        space,
        annotators=_with_names(space.annotators, more),
        identified=np.append(space.identified, np.zeros(more, bool)),
        annotator_groups=replace(
            space.annotator_groups,
            code=np.append(space.annotator_groups.code, np.zeros(more, np.int32)),
        ),
    )


def _with_items(space: ObjectsSpace) -> ObjectsSpace:
    """Return further items of each number of candidates, without any answer.

    They are like the first of as many: nothing else is then said of labels.
    """
    shown = [np.arange(space.num_units)]
    size = space.named.size
    for number in np.unique(size).tolist():
        units = np.flatnonzero(size == number)
        filled = next_size(len(units), step_of_size(ITEMS, number))
        shown.append(np.repeat(units[:1], filled - len(units)))
    every = np.concatenate(shown)
    named = space.named.of_units(every)
    observed = named.observed & (np.arange(len(every)) < space.num_units)
    return replace(
        space,
        unit_item=_with_names(space.unit_item, len(every) - space.num_units),
        log_prior=space.log_prior[every],
        named=replace(named, observed=observed, padded=True),
    )


def _covariates(covariates: Covariates, more: int) -> Covariates:
    return replace(
        covariates,
        value=_with_rows(covariates.value, more, value=0.0),
        observed=_with_rows(covariates.observed, more, value=False),
    )


def _with_rows(
    table: Shaped[np.ndarray, "U *rest"], more: int, *, value: Any
) -> Shaped[np.ndarray, "V *rest"]:
    rows = np.empty((more, *table.shape[1:]), table.dtype)
    rows[...] = value
    return np.concatenate([table, rows])


def _with_codes(code: Shaped[np.ndarray, " U"], more: int) -> Shaped[np.ndarray, " V"]:
    further = code.max(initial=-1) + 1 + np.arange(more)
    return np.append(code, further.astype(code.dtype))


def _with_names(names: Shaped[np.ndarray, " U"], more: int) -> Shaped[np.ndarray, " V"]:
    """Return further names, all of them behind the last in their order."""
    last = max(names.astype(str), default="")
    further = np.array([f"{last}+{number}" for number in range(more)], dtype=object)
    return np.concatenate([names.astype(object), further]) if more else names
