r"""Hamiltonian trajectories of several chains side by side, and how they are tuned.

Of a position :math:`x` with log density :math:`f`, and a momentum drawn from a standard
normal, a trajectory takes leapfrog steps and is accepted by how well it keeps the sum
of both energies. Each coordinate is measured by

.. math::

   s = \sqrt{\mathrm{sd}(x) / \mathrm{sd}(\nabla f)},

over draws of all chains, which is the standard deviation of :math:`x` where it is
normal and independent of the others, and less where it is held by others: then a step
is as long as the steepest direction allows.

References
----------
Neal (2011), MCMC using Hamiltonian dynamics, section 5.
Seyboldt, Carlson and Carpenter (2026), Preconditioning Hamiltonian Monte Carlo by
minimizing Fisher divergence.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

ACCEPTED = 0.8  # share of trajectories that are accepted, which step sizes are tuned to
FIRST = 0.3  # of the scale of coordinates that are about standard normal, and of steps
EASING = 1.5  # of the tuning: steps change by at most so much at first, then ever less
AROUND = 0.2, 0.5  # step sizes and numbers of steps vary by that, against resonance


class Point(NamedTuple):
    """The log density at a position, its gradient, and what else was computed."""

    height: Float[np.ndarray, " C"]
    slope: Float[np.ndarray, "C P"]
    more: Any

    def where(self, taken: Bool[np.ndarray, " C"], other: "Point") -> "Point":
        """Return those of the other in the chains where it is taken, in its place."""
        return Point(
            np.where(taken, other.height, self.height),
            np.where(taken[:, None], other.slope, self.slope),
            self.more.where(taken, other.more),
        )


type Density = Callable[[Float[np.ndarray, "C P"]], Point]


class Trajectories:
    """Trajectories whose step size and scales of coordinates are learned."""

    CHANGES = ("scale", "size", "steps", "number", "sums")

    def __init__(self, coordinates: int) -> None:
        self.scale = np.full(coordinates, FIRST)
        self.size, self.steps = FIRST, 0
        self.forget()

    def forget(self) -> None:
        """Begin to gather draws anew."""
        self.number, self.sums = 0, np.zeros((4, len(self.scale)))

    def learn(self) -> None:
        """Scale coordinates by the draws gathered so far."""
        if self.number < 2:
            return
        mean = self.sums / self.number
        spread = np.maximum(mean[1::2] - mean[::2] ** 2, np.finfo(float).tiny)
        self.scale = (spread[0] / spread[1]) ** 0.25
        self.size, self.steps = FIRST, 0
        self.forget()

    def move(
        self,
        start: Float[np.ndarray, "C P"],
        density: Density,
        generator: np.random.Generator,
        number: int,
        *,
        tune: bool,
    ) -> tuple[Float[np.ndarray, "C P"], Point]:
        """Return where chains stand after a trajectory, and the density there."""
        less, fewer = AROUND
        size = self.size * generator.uniform(1 - less, 1 + less)
        number = round(number * generator.uniform(1 - fewer, 1 + fewer))
        momentum = generator.standard_normal(start.shape)
        step, here = size * self.scale, density(start)
        there, at, energy = here, start, (momentum**2).sum(1)
        for _ in range(max(number, 1)):
            momentum = momentum + 0.5 * step * there.slope
            at = at + step * momentum
            there = density(at)
            momentum += 0.5 * step * there.slope
        gain = there.height - here.height + 0.5 * (energy - (momentum**2).sum(1))
        gain = np.where(np.isfinite(gain), gain, -np.inf)
        taken = -generator.standard_exponential(len(gain)) < gain
        at, reached = np.where(taken[:, None], at, start), here.where(taken, there)
        if tune:
            self._tune(gain)
            slope = reached.slope
            self.number += len(at)
            self.sums += [each.sum(0) for each in (at, at**2, slope, slope**2)]
        return at, reached

    def _tune(self, gain: Float[np.ndarray, " C"]) -> None:
        self.steps += 1
        chance = np.exp(np.minimum(gain, 0)).mean()
        self.size *= np.exp(
            (chance - ACCEPTED) * min(0.5, EASING / np.sqrt(self.steps))
        )
