"""Parts of a space: some of its units, or all of them with fewer answers."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from consilience.truth.space import ChoiceSpace, ContainsSpace, ObjectsSpace, Space


def some_units[S: Space](space: S, units: Int[np.ndarray, " B"]) -> S:
    """Return the space of some units and all annotators."""
    place = np.full(space.num_units, -1, space.unit.dtype)
    place[units] = np.arange(len(units))
    part = some_answers(space, place[space.unit] >= 0)
    return replace(
        part,
        unit=place[part.unit],
        unit_item=space.unit_item[units],
        state=space.state if len(space.state) == 1 else space.state[units],
        log_prior=(
            space.log_prior if len(space.log_prior) == 1 else space.log_prior[units]
        ),
        **_of_units(part, units),
    )


def _of_units(space: Space, units: Int[np.ndarray, " B"]) -> dict[str, Any]:
    """Return what only one kind of response has, of some units."""
    match space:
        case ChoiceSpace():
            return {
                "covariates": space.covariates.of_units(units),
                "asides": space.asides.of_units(units, space.num_units),
                "in_population": (
                    space.in_population
                    if len(space.in_population) == 1
                    else space.in_population[units]
                ),
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
