"""Parts of a space: some of its units, or all of them with fewer answers."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from consilience.truth.space import Space


def some_units(space: Space, units: Int[np.ndarray, " B"]) -> Space:
    """Return the space of some units and all annotators.

    Parameters
    ----------
    space
        What can be true, and the answers.
    units
        Which units, in ascending order.
    """
    place = np.full(space.num_units, -1, space.unit.dtype)
    place[units] = np.arange(len(units))
    kept = place[space.unit] >= 0
    part = some_answers(space, kept)
    label, groups, covariates = space.unit_label, space.groups, space.covariates
    named, similar = part.named, space.similar_sets
    return replace(
        part,
        unit=place[part.unit],
        unit_item=space.unit_item[units],
        unit_label=None if label is None else label[units],
        state=space.state if len(space.state) == 1 else space.state[units],
        log_prior=(
            space.log_prior if len(space.log_prior) == 1 else space.log_prior[units]
        ),
        groups=None if groups is None else replace(groups, code=groups.code[units]),
        similar_sets=(
            None
            if similar is None
            else replace(
                similar, of_unit=similar.of_unit[units], shown=similar.shown[units]
            )
        ),
        covariates=(
            None
            if covariates is None
            else replace(
                covariates,
                value=covariates.value[units],
                observed=covariates.observed[units],
            )
        ),
        named=(
            None
            if named is None
            else replace(
                named,
                candidate=named.candidate[units],
                dataset_label=named.dataset_label[units],
                covariates=named.covariates[units],
                observed=named.observed[units],
                contains_counts=None
                if named.contains_counts is None
                else named.contains_counts[units],
            )
        ),
    )


def some_answers(space: Space, kept: Bool[np.ndarray, " N"]) -> Space:
    """Return the space of all units and annotators with some of the answers."""
    named = space.named
    return replace(
        space,
        unit=space.unit[kept],
        annotator=space.annotator[kept],
        answer=space.answer[kept],
        n=space.n[kept],
        named=(
            None
            if named is None
            else replace(named, mask=named.mask[kept], main=named.main[kept])
        ),
    )
