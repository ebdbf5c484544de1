"""Votes counted: what each unit's answers say of its states, taken at face value."""

import numpy as np
from jaxtyping import Float, Int

from consilience.truth.choice.candidates import answer_slot
from consilience.truth.space import Space


def tally(space: Space) -> Float[np.ndarray, "U S"]:
    """Count the votes that each listed state got; half votes count half."""
    of_states = space.answers == space.states
    slots = space.state.shape[1] if of_states else len(space.answers)
    code = space.unit.astype(np.int64) * slots + answer_slot(space)
    counts = np.bincount(code, space.n, space.num_units * slots)
    # Of no answers, NumPy counts whole numbers.
    votes = counts.astype(float, copy=False).reshape(space.num_units, slots)
    return votes if of_states else votes @ space.votes


def vote_shares(
    space: Space, units: Int[np.ndarray, " B"] | slice = slice(None)
) -> Float[np.ndarray, "B S"]:
    """Return the smoothed share of votes of each listed state, a first guess."""
    weight = tally(space)[units]
    weight += 1 / len(space.answers)
    if len(space.log_prior) > 1:
        weight *= np.exp(np.minimum(space.log_prior[units], 0))
    weight /= weight.sum(1, keepdims=True)
    return weight
