"""The result of a simulation from a model."""

from dataclasses import dataclass

from jaxtyping import Array, Int

from consilience.model.contract import Parameters
from consilience.truth.arrays import pytree


@pytree()
@dataclass(frozen=True, slots=True)
class Simulated:
    """A draw from a model.

    Attributes
    ----------
    parameters
        As sampled, and what the model derives from them, by name.
    state
        The true state of each unit.
    answer
        The answers given.
    """

    parameters: Parameters
    state: Int[Array, " U"]
    answer: Int[Array, " N"]
