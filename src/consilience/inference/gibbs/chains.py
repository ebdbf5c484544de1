r"""Gibbs sampling: the truth given the annotators, and they given the truth.

A sweep of a model of confusion rows with normal effects (`model.RowEffects`) draws

1. how much items differ in ease, by a random walk with truth and ease summed out;
2. the truth and ease of every item, exactly; and the prevalence given them, exactly;
3. every row, given what moves it, by an elliptical slice;
4. the effects of each annotator given its rows, exactly; and once more by an elliptical
   slice along which its rows move;
5. the population and all standard deviations, given the rows; and once more with the
   rows moving along.

Each of the last two is drawn in two parametrizations, since one of them mixes where
answers are many and the other where they are few. Chains run side by side in one set of
arrays, so that many cost little more than one; nothing is compiled.

References
----------
Murray, Adams and MacKay (2010), Elliptical slice sampling, section 2.
Yu and Meng (2011), To center or not to center: that is not the question, section 2.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from consilience.inference.gibbs.elliptical_slice import elliptical_slice
from consilience.inference.gibbs.row_likelihood import RowLikelihood
from consilience.inference.gibbs.steps import RandomWalk
from consilience.inference.gibbs.truth_draws import Scored, TruthDraws
from consilience.model import (
    DIFFICULTY,
    NODES,
    TYPICAL,
    Effect,
    RowEffects,
    normal_nodes,
)

SPREAD_STEPS = 3  # of each standard deviation of what is left, given the rows
EVERY = 2  # sweeps between the two steps that take longest, those of steps 1 and 4
START = 0.5  # of every standard deviation, as a share of its prior scale

type Rows = Float[np.ndarray, "C J K F"]


class Swept(NamedTuple):
    """What a sweep says of the truth.

    Attributes
    ----------
    belief
        Posterior of the listed states of each unit, given the annotators.
    log_likelihood
        log p(answers of the unit | the annotators).
    """

    belief: Float[np.ndarray, "C U S"]
    log_likelihood: Float[np.ndarray, "C U"]


class Chains:
    """Chains of a model of confusion rows with normal effects.

    Parameters
    ----------
    effects
        What moves the rows.
    truth
        How the truth is drawn, given the annotators.
    annotators
        How many there are.
    generator
        Source of random numbers.
    """

    def __init__(
        self,
        effects: RowEffects,
        truth: TruthDraws,
        annotators: int,
        generator: np.random.Generator,
    ) -> None:
        self.design, self.truth, self.random = effects, truth, generator
        self.node, _ = normal_nodes(NODES)
        chains, (states, free) = truth.chains, effects.centre.shape
        self.shape = chains, annotators, states, free
        self.population = np.broadcast_to(effects.centre, (chains, states, free)).copy()
        self.spread = np.full((chains, states), START * effects.spread)
        self.difficulty = np.full(chains, START * effects.difficulty)
        self.scale = {
            effect.name: np.full(chains, START * effect.scale)
            for effect in effects.effects
        }
        self.values = {
            effect.name: np.zeros((chains, annotators, effect.direction.shape[2]))
            for effect in effects.effects
        }
        self.rows = self._mean() + self.spread[:, None, :, None] * self._normal(
            chains, annotators, states, free
        )
        self.walk_of = {
            "difficulty": RandomWalk((chains,)),
            "spread": RandomWalk((chains, states)),
            "population": RandomWalk((chains, states)),
            **{effect.name: RandomWalk((chains,)) for effect in effects.effects},
        }
        self.likelihood = self._counted(truth.at_first(generator))
        self.sweeps = 0

    def sweep(self, *, tune: bool) -> Swept:
        """Draw everything once.

        Parameters
        ----------
        tune
            Whether the sizes of steps may change: while the chain is thrown away.
        """
        for walk in self.walk_of.values():
            walk.tune = tune
        twice = self.sweeps % EVERY == 0
        self.sweeps += 1
        swept, counts = self._draw_truth(difficulty=twice)
        self.likelihood = self._counted(counts)
        self._draw_rows()
        self._draw_values(along=twice)
        self._draw_population()
        self._draw_scales()
        self._draw_spread()
        self._move_along()
        return swept

    def parameters(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return where the chains stand, as the NumPyro program names it."""
        distance = (self.rows - self._mean()) / self.spread[:, None, :, None]
        sign = {name: np.where(scale < 0, -1.0, 1.0) for name, scale in self._scales()}
        return {
            **self.truth.parameters(),
            "population": self.population,
            "spread": self.spread,
            **{f"{name}_spread": np.abs(scale) for name, scale in self._scales()},
            **{
                name: value * sign[name][:, None, None]
                for name, value in self.values.items()
            },
            "distance": distance,
            DIFFICULTY: self.difficulty,
            TYPICAL: np.exp(self._typical()),
        }

    def _scales(self) -> Any:
        return self.scale.items()

    def _normal(self, *shape: int) -> Float[np.ndarray, "..."]:
        return self.random.standard_normal(shape)

    def _typical(self) -> Float[np.ndarray, "C J K L"]:
        log_odds = self.rows @ self.design.basis.T
        log_odds -= log_odds.max(-1, keepdims=True)
        log_odds -= np.log(np.exp(log_odds).sum(-1, keepdims=True))
        return log_odds

    def _mean(self) -> Rows:
        """Return the prior mean of the rows: the population moved by the effects."""
        mean = self.population[:, None]
        for effect in self.design.effects:
            mean = mean + self._moved(effect, self.values[effect.name])
        return np.broadcast_to(mean, self.shape)

    def _moved(
        self, effect: Effect, values: Float[np.ndarray, "C J P"], scale: Any = None
    ) -> Rows:
        scale = self.scale[effect.name] if scale is None else scale
        moved: Rows = scale[:, None, None, None] * np.tensordot(
            values, effect.direction, (2, 2)
        )
        return moved

    def _counted(self, counts: Float[np.ndarray, "C J K T L"]) -> RowLikelihood:
        design = self.design
        likelihood = RowLikelihood(counts, design.basis, design.ease, self.node)
        return likelihood.at(self.difficulty)

    def _of_rows(self, rows: Rows) -> Float[np.ndarray, "C J K"]:
        flat = self.likelihood(rows.reshape(-1, self.shape[-1]))
        return flat.reshape(self.shape[:-1])

    def _draw_truth(
        self, *, difficulty: bool
    ) -> tuple[Swept, Float[np.ndarray, "C J K T L"]]:
        typical = self._typical()
        now = self.truth.scored(typical, self.difficulty, self.design.ease)
        if difficulty:
            now = self._draw_difficulty(typical, now)
        counts = self.truth.draw(now, self.random)
        return Swept(self.truth.belief(now), now.log_likelihood), counts

    def _draw_difficulty(
        self, typical: Float[np.ndarray, "C J K L"], now: Scored
    ) -> Scored:
        walk = self.walk_of["difficulty"]
        proposed = np.abs(self.difficulty + walk.step(self.random))
        there = self.truth.scored(typical, proposed, self.design.ease)
        gain = (there.log_likelihood - now.log_likelihood).sum(1, dtype=float)
        gain -= _half_square(proposed, self.difficulty, self.design.difficulty)
        taken = walk.accept(gain, self.random)
        self.difficulty = np.where(taken, proposed, self.difficulty)
        return now.where(taken, there)

    def _draw_rows(self) -> None:
        mean, free = self._mean().reshape(-1, self.shape[-1]), self.shape[-1]
        deviation = np.broadcast_to(self.spread[:, None], self.shape[:-1]).reshape(
            -1, 1
        )
        apart = elliptical_slice(
            self.rows.reshape(-1, free) - mean,
            deviation,
            lambda rows, which: self.likelihood(mean[which] + rows, which),
            self.random,
        )
        self.rows = (mean + apart).reshape(self.shape)

    def _draw_values(self, *, along: bool) -> None:
        """Draw the effects of annotators given the rows, and with the rows moving."""
        if not self.design.effects:
            return
        chains, annotators, states, free = self.shape
        directions = np.concatenate(
            [
                self.scale[effect.name][:, None, None, None] * effect.direction
                for effect in self.design.effects
            ],
            axis=3,
        )
        numbers = directions.shape[3]
        whole = directions.reshape(chains, states * free, numbers)
        weight = self.spread[:, :, None, None] ** -2.0
        weighed = (directions * weight).reshape(whole.shape).transpose(0, 2, 1)
        precision = weighed @ whole + np.eye(numbers)
        apart = (self.rows - self.population[:, None]).reshape(chains, annotators, -1)
        root = np.linalg.cholesky(precision)
        noise = self._normal(chains, numbers, annotators)
        above = np.linalg.solve(root, weighed @ apart.transpose(0, 2, 1)) + noise
        values = np.linalg.solve(root.transpose(0, 2, 1), above).transpose(0, 2, 1)
        self._set_values(values)
        if along:
            self._move_values(values, whole)

    def _move_values(
        self, values: Float[np.ndarray, "C J P"], whole: Float[np.ndarray, "C R P"]
    ) -> None:
        """Draw the effects of annotators once more, their rows moving along."""
        chains, annotators, states, free = self.shape
        base = (
            self.rows - (values @ whole.transpose(0, 2, 1)).reshape(self.shape)
        ).reshape(chains * annotators, states, free)
        place = np.arange(chains * annotators * states).reshape(-1, states)
        chain = np.repeat(np.arange(chains), annotators)

        def rows(
            values: Float[np.ndarray, "N P"], which: Int[np.ndarray, " N"]
        ) -> Float[np.ndarray, "N K F"]:
            moved = whole[chain[which]] @ values[:, :, None]
            return base[which] + moved.reshape(-1, states, free)

        def of_annotators(
            values: Float[np.ndarray, "N P"], which: Int[np.ndarray, " N"]
        ) -> Float[np.ndarray, " N"]:
            moved = rows(values, which).reshape(-1, free)
            each = self.likelihood(moved, place[which].ravel())
            return each.reshape(-1, states).sum(1)

        flat = values.reshape(chains * annotators, -1)
        flat = elliptical_slice(flat, 1.0, of_annotators, self.random)
        self._set_values(flat.reshape(values.shape))
        self.rows = rows(flat, np.arange(len(flat))).reshape(self.shape)

    def _set_values(self, values: Float[np.ndarray, "C J P"]) -> None:
        start = 0
        for effect in self.design.effects:
            end = start + effect.direction.shape[2]
            self.values[effect.name] = values[..., start:end]
            start = end

    def _draw_population(self) -> None:
        """Draw the population given the rows."""
        design = self.design
        apart = self.rows - (self._mean() - self.population[:, None])
        weight, prior = self.spread[..., None] ** -2.0, design.population**-2.0
        precision = self.shape[1] * weight + prior
        mean = (apart.sum(1) * weight + design.centre * prior) / precision
        self.population = mean + self._normal(*mean.shape) / np.sqrt(precision)

    def _draw_scales(self) -> None:
        """Draw the standard deviation of each effect given the rows: a regression.

        Its sign and that of the effect are drawn as well; only their product counts.
        """
        weight = self.spread**-2.0
        for effect in self.design.effects:
            along = np.tensordot(self.values[effect.name], effect.direction, (2, 2))
            now = self.scale[effect.name]
            apart = self.rows - self._mean() + now[:, None, None, None] * along
            pull = ((along * apart).sum((1, 3)) * weight).sum(1)
            square = ((along**2).sum((1, 3)) * weight).sum(1)
            precision = square + effect.scale**-2.0
            noise = self._normal(len(now)) / np.sqrt(precision)
            self.scale[effect.name] = pull / precision + noise

    def _draw_spread(self) -> None:
        """Draw the standard deviation of what is left in the rows, given the rows."""
        _, annotators, _, free = self.shape
        square = ((self.rows - self._mean()) ** 2).sum((1, 3))
        number = annotators * free

        def height(log: Float[np.ndarray, "C K"]) -> Float[np.ndarray, "C K"]:
            spread = np.exp(log)
            prior = -0.5 * (spread / self.design.spread) ** 2 + log
            return prior - number * log - 0.5 * square / spread**2

        log = np.log(self.spread)
        for _ in range(SPREAD_STEPS):
            size = 1.5 / np.sqrt(number) * np.exp(self.random.uniform(-1, 1, log.shape))
            there = log + size * self._normal(*log.shape)
            gain = height(there) - height(log)
            log = np.where(
                -self.random.standard_exponential(log.shape) < gain, there, log
            )
        self.spread = np.exp(log)

    def _move_along(self) -> None:
        """Draw what rows have in common once more, the rows moving along."""
        design, now = self.design, self._of_rows(self.rows)
        walk, mean = self.walk_of["spread"], self._mean()
        factor = np.exp(walk.step(self.random))
        spread = factor * self.spread
        gain = np.log(factor) - _half_square(spread, self.spread, design.spread)
        rows = mean + factor[:, None, :, None] * (self.rows - mean)
        taken, now = self._try(walk, rows, now, gain)
        self.spread = np.where(taken, spread, self.spread)

        walk = self.walk_of["population"]
        shift = walk.step(self.random)[..., None] * self._normal(*self.population.shape)
        there = self.population + shift
        gain = -_half_square(
            there - design.centre, self.population - design.centre, design.population
        ).sum(-1)
        taken, now = self._try(walk, self.rows + shift[:, None], now, gain)
        self.population = np.where(taken[..., None], there, self.population)

        for effect in design.effects:
            walk, scale = self.walk_of[effect.name], self.scale[effect.name]
            step = walk.step(self.random)
            gain = -_half_square(scale + step, scale, effect.scale)
            rows = self.rows + self._moved(effect, self.values[effect.name], step)
            taken, now = self._try(walk, rows, now, gain)
            self.scale[effect.name] = np.where(taken, scale + step, scale)

    def _try(
        self,
        walk: RandomWalk,
        rows: Rows,
        now: Float[np.ndarray, "C J K"],
        gain: Float[np.ndarray, "C *states"],
    ) -> tuple[Any, Float[np.ndarray, "C J K"]]:
        """Move the rows of a state, or of all, if the answers allow it."""
        there = self._of_rows(rows)
        of_states = (there - now).sum(1)
        gain = gain + (of_states if gain.ndim > 1 else of_states.sum(1))
        taken = walk.accept(gain, self.random)
        each = taken[:, None] if taken.ndim > 1 else taken[:, None, None]
        self.rows = np.where(each[..., None], rows, self.rows)
        return taken, np.where(each, there, now)


def _half_square(
    there: Float[np.ndarray, "..."], now: Float[np.ndarray, "..."], scale: float
) -> Float[np.ndarray, "..."]:
    """Return by how much a normal log density falls on the way there."""
    return 0.5 * (there**2 - now**2) / scale**2
