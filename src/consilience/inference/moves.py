r"""Moves of several Markov chains side by side, and how their steps are tuned.

**Hamiltonian trajectories.** Of a position :math:`x` with log density :math:`f`, and a
momentum drawn from a standard normal, a trajectory takes leapfrog steps and is accepted
by how well it keeps the sum of both energies. Each coordinate is measured by

.. math::

   s = \sqrt{\mathrm{sd}(x) / \mathrm{sd}(\nabla f)},

over draws of all chains, which is the standard deviation of :math:`x` where it is
normal and independent of the others, and less where it is held by others: then a step
is as long as the steepest direction allows.

**Elliptical slices** move many independent vectors with normal priors at once, such as
rows of confusions, given counts of answers.

References
----------
Neal (2011), MCMC using Hamiltonian dynamics, section 5.
Seyboldt, Carlson and Carpenter (2026), Preconditioning Hamiltonian Monte Carlo by
minimizing Fisher divergence.
Murray, Adams and MacKay (2010), Elliptical slice sampling, figure 2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

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


ALL = slice(None)
MOST = 40  # brackets halve each time, about; one that never ends stays where it is
type Which = Int[np.ndarray, " M"] | slice
type LogLikelihood = Callable[
    [Float[np.ndarray, "P M"], Which], Float[np.ndarray, " M"]
]


class RowLikelihood:
    r"""Answers counted by row, in each state and at each node of ease.

    Of log-odds :math:`\eta` of a row, and :math:`d_k` of its state, it is

    .. math::

       \sum_l n_l \eta_l + \chi \sum_{tl} n_{tl} x_t d_{kl}
       - \sum_t n_t \log \sum_l e^{\eta_l + \chi x_t d_{kl}}.

    Rows of all chains, annotators and states are laid end to end. Where ease moves one
    answer of a state alone, the last sum is that at average ease, and what the odds of
    that answer gain.
    """

    def __init__(
        self,
        counts: Float[np.ndarray, "C J K T L"],
        basis: Float[np.ndarray, "L F"],
        ease: Float[np.ndarray, "K L"],
        node: Float[np.ndarray, " T"],
    ) -> None:
        chains, annotators, states, nodes, answers = counts.shape
        self.shape = chains, annotators, states
        self.basis, self.node = basis, node
        # Short axes come first: sums over them are then sums of long arrays.
        self.along = basis.T @ np.einsum("cjktl->lcjk", counts).reshape(answers, -1)
        self.at_node = np.einsum("cjktl->tcjk", counts).reshape(nodes, -1)
        moved = node[:, None] * ease[:, None]
        self.eased = np.einsum("cjktl,ktl->cjk", counts, moved).ravel()
        self.moved, self.eases = moved.transpose(1, 2, 0), None
        if (np.count_nonzero(ease, 1) < 2).all():
            eased = np.abs(ease).argmax(1)
            self.moved = moved[np.arange(len(ease)), :, eased].T[:, None]
            self.eases = np.tile(eased, chains * annotators)

    def at(self, difficulty: Float[np.ndarray, " C"]) -> "RowLikelihood":
        """Set how much items differ in each chain."""
        _, annotators, states = self.shape
        factor = np.exp(difficulty[:, None] * self.moved[:, :, None])
        if self.eases is not None:
            factor -= 1
        whole = factor[:, :, :, None] + np.zeros((annotators, 1))
        constant = np.repeat(difficulty, annotators * states) * self.eased
        rows = whole.reshape(-1, len(constant))
        # In one array, so that those of some rows are taken at once.
        self.parts = np.concatenate([self.along, self.at_node, constant[None], rows])
        return self

    def __call__(
        self,
        rows: Float[np.ndarray, "F N"],
        which: Int[np.ndarray, " N"] | slice = slice(None),
    ) -> Float[np.ndarray, " N"]:
        """Return the log-likelihood of some rows."""
        log_odds = self.basis @ rows
        largest = log_odds.max(0)
        log_odds -= largest
        odds = np.exp(log_odds, out=log_odds)
        parts = self.parts
        if not isinstance(which, slice):
            parts = parts.take(which, axis=1)
        free, nodes = len(self.along), len(self.at_node)
        along, at_node = parts[:free], parts[free : free + nodes]
        constant = parts[free + nodes]
        factor = parts[free + nodes + 1 :]
        if self.eases is None:
            factor = factor.reshape(nodes, len(odds), -1)
            total = np.einsum("tln,ln->tn", factor, odds)
        else:
            total = factor * odds[self.eases[which], np.arange(rows.shape[1])]
            total += odds.sum(0)
        np.log(total, out=total)
        total += largest
        likelihood: Float[np.ndarray, " N"] = np.einsum("fn,fn->n", rows, along)
        likelihood += constant
        likelihood -= np.einsum("tn,tn->n", total, at_node)
        return likelihood


def elliptical_slice(
    values: Float[np.ndarray, "P N"],
    deviation: Float[np.ndarray, " N"] | float,
    log_likelihood: LogLikelihood,
    generator: np.random.Generator,
) -> Float[np.ndarray, "P N"]:
    """Draw vectors with a normal prior of mean zero and any likelihood."""
    number = values.shape[1]
    at, other = values, deviation * generator.standard_normal(values.shape)
    height = log_likelihood(at, ALL) - generator.standard_exponential(number)
    angle = generator.uniform(0.0, 2 * np.pi, (number,))
    lowest, highest = angle - 2 * np.pi, angle
    drawn, which = values, np.arange(number)
    for _ in range(MOST):
        whole = len(which) == number
        proposed = at * np.cos(angle) + other * np.sin(angle)
        taken = log_likelihood(proposed, ALL if whole else which) >= height
        if whole:
            drawn = np.where(taken, proposed, values)
        else:
            drawn[:, which[taken]] = proposed[:, taken]
        left = np.flatnonzero(~taken)
        if not len(left):
            break
        at, other = at.take(left, axis=1), other.take(left, axis=1)
        which, height, angle = which[left], height[left], angle[left]
        below = angle < 0
        lowest = np.where(below, angle, lowest[left])
        highest = np.where(below, highest[left], angle)
        angle = lowest + (highest - lowest) * generator.random(len(left))
    return drawn
