"""Units that look alike, looked at once: exact, and the fewer answers the faster.

Two units are alike if they got the same answers from the same annotators, can be true
in the same ways, with the same covariates. Given parameters that units
share, their likelihoods are equal; so one stands for all, counted as often.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from consilience.truth.parts import some_units
from consilience.truth.space import ChoiceSpace, ContainsSpace, Space


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
    cell = who * len(space.answers) + space.answer
    order = np.lexsort((cell, space.unit))
    unit, cell, n = space.unit[order], cell[order], space.n[order]
    at = np.flatnonzero(
        (np.diff(unit, prepend=-1) != 0) | (np.diff(cell, prepend=-1) != 0)
    )
    unit, cell = unit[at], cell[at]
    n = np.add.reduceat(n, at) if len(at) else n
    length = np.bincount(unit, minlength=space.num_units)
    start = np.cumsum(length) - length
    code = np.zeros(space.num_units, np.int64)
    num_codes = 0
    for size in np.unique(length):
        units = np.flatnonzero(length == size)
        cells = start[units, None] + np.arange(size)
        code[units] = num_codes + _row_codes(np.concatenate([cell[cells], n[cells]], 1))
        num_codes = int(code[units].max()) + 1
    return code


def _row_codes(rows: Shaped[np.ndarray, "U _"]) -> Int[np.ndarray, " U"]:
    """Return a code of each row, equal where rows are."""
    if not rows.shape[1]:
        return np.zeros(len(rows), np.int64)
    code: Int[np.ndarray, " U"] = np.unique(rows, axis=0, return_inverse=True)[1]
    return code.astype(np.int64)
