"""The place of each answer on the list of its unit."""

import numpy as np
from jaxtyping import Int

from consilience.truth.space import Space


def answer_slot(space: Space) -> Int[np.ndarray, " N"]:
    """Return the place of each answer on the list of its unit."""
    if space.answers != space.states or not space.ragged:
        return space.answer
    words = listed_answers(space)
    if words.shape[1] == 1:  # the class of each item, which answers need not name
        return np.zeros_like(space.answer)
    unit, slot = np.nonzero(words >= 0)
    listed = unit.astype(np.int64) * len(space.states) + words[unit, slot]
    row = space.unit if len(words) > 1 else np.zeros_like(space.unit)
    answered = row.astype(np.int64) * len(space.states) + space.answer
    place: Int[np.ndarray, " N"] = slot[np.searchsorted(listed, answered)].astype(
        np.int32
    )
    return place


def listed_answers(space: Space) -> Int[np.ndarray, "#U T"]:
    """Return the answers on each list, minus one in padding."""
    if space.answers != space.states:
        return np.arange(len(space.answers), dtype=np.int32)[None]
    if not space.ragged:
        return space.state
    # Lists are in ascending order, so state 0 behind the first slot is padding.
    padding = (space.state == 0) & (np.arange(space.state.shape[1]) > 0)
    return np.where(padding, -1, space.state)
