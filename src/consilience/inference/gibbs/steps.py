"""Random walks whose steps are tuned while the chain is thrown away."""

import numpy as np
from jaxtyping import Bool, Float

ACCEPTED = 0.4  # share of steps taken that their size is tuned to: of one number
FIRST = 0.3


class RandomWalk:
    """Metropolis steps of many numbers side by side, each of a size of its own."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.size = np.full(shape, FIRST)
        self.steps = 0
        self.tune = True

    def step(self, generator: np.random.Generator) -> Float[np.ndarray, "..."]:
        """Return a step of each."""
        return self.size * generator.standard_normal(self.size.shape)

    def accept(
        self, gain: Float[np.ndarray, "..."], generator: np.random.Generator
    ) -> Bool[np.ndarray, "..."]:
        """Return which steps are taken, and tune their size."""
        if self.tune:
            self.steps += 1
            chance = np.exp(np.minimum(gain, 0))
            self.size *= np.exp((chance - ACCEPTED) * min(1.0, 3 / np.sqrt(self.steps)))
        taken: Bool[np.ndarray, ...] = (
            -generator.standard_exponential(gain.shape) < gain
        )
        return taken
