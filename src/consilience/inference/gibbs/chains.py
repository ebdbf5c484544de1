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
from jaxtyping import Float

from consilience.inference.gibbs.elliptical_slice import Which, elliptical_slice
from consilience.inference.gibbs.row_likelihood import RowLikelihood
from consilience.inference.gibbs.steps import RandomWalk
from consilience.inference.gibbs.truth_draws import Scored, TruthDraws
from consilience.model import (
    DIFFICULTY,
    NODES,
    TYPICAL,
    RowEffects,
    normal_nodes,
)

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
        self.effects = effects.effects
        numbers = [effect.direction.shape[2] for effect in self.effects]
        self.effect_of = np.repeat(np.arange(len(numbers)), numbers)
        self.direction = np.concatenate(
            [np.zeros((states, free, 0)), *(each.direction for each in self.effects)], 2
        ).reshape(states * free, -1)
        self.prior_scale = np.array([effect.scale for effect in self.effects])
        self.population = np.broadcast_to(effects.centre, (chains, states, free)).copy()
        self.spread = np.full((chains, states), START * effects.spread)
        self.difficulty = np.full(chains, START * effects.difficulty)
        self.scale = np.tile(START * self.prior_scale, (chains, 1))
        self.values = np.zeros((chains, annotators, len(self.effect_of)))
        self.rows = self._mean() + self.spread[:, None, :, None] * self._normal(
            chains, annotators, states, free
        )
        self.walk_of = {
            "difficulty": RandomWalk((chains,)),
            "spread": RandomWalk((chains, states)),
            "population": RandomWalk((chains, states)),
            **{effect.name: RandomWalk((chains,)) for effect in self.effects},
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
        sign = np.where(self.scale < 0, -1.0, 1.0)
        of_effects = {}
        for place, effect in enumerate(self.effects):
            values = self.values[:, :, self.effect_of == place]
            of_effects[f"{effect.name}_spread"] = np.abs(self.scale[:, place])
            of_effects[effect.name] = values * sign[:, None, None, place]
        return {
            **self.truth.parameters(),
            "population": self.population,
            "spread": self.spread,
            **of_effects,
            "distance": distance,
            DIFFICULTY: self.difficulty,
            TYPICAL: np.exp(self._typical()),
        }

    def _normal(self, *shape: int) -> Float[np.ndarray, "..."]:
        return self.random.standard_normal(shape)

    def _typical(self) -> Float[np.ndarray, "C J K L"]:
        log_odds = self.rows @ self.design.basis.T
        log_odds -= log_odds.max(-1, keepdims=True)
        log_odds -= np.log(np.exp(log_odds).sum(-1, keepdims=True))
        return log_odds

    def _mean(self) -> Rows:
        """Return the prior mean of the rows: the population moved by the effects."""
        return self.population[:, None] + self._moved(self.scale)

    def _moved(self, scale: Float[np.ndarray, "C G"]) -> Rows:
        """Return by how much effects move the rows, with these standard deviations."""
        values = self.values * scale[:, None, self.effect_of]
        moved: Rows = (values @ self.direction.T).reshape(self.shape)
        return moved

    def _counted(self, counts: Float[np.ndarray, "C J K T L"]) -> RowLikelihood:
        design = self.design
        likelihood = RowLikelihood(counts, design.basis, design.ease, self.node)
        return likelihood.at(self.difficulty)

    def _of_rows(self, rows: Rows) -> Float[np.ndarray, "C J K"]:
        return self.likelihood(self._laid_out(rows)).reshape(self.shape[:-1])

    def _laid_out(self, rows: Rows) -> Float[np.ndarray, "F N"]:
        return np.ascontiguousarray(rows.reshape(-1, self.shape[-1]).T)

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
        prior = self._mean()
        mean, apart = self._laid_out(prior), self._laid_out(self.rows - prior)
        deviation = np.broadcast_to(self.spread[:, None], self.shape[:-1]).ravel()
        apart = elliptical_slice(
            apart,
            deviation,
            lambda rows, which: self.likelihood(mean[:, which] + rows, which),
            self.random,
        )
        self.rows = (mean + apart).T.reshape(self.shape)

    def _draw_values(self, *, along: bool) -> None:
        """Draw the effects of annotators given the rows, and with the rows moving."""
        if not self.effects:
            return
        chains, annotators, _, free = self.shape
        whole = self.direction * self.scale[:, None, self.effect_of]
        weight = np.repeat(self.spread**-2.0, free, axis=1)
        weighed = (whole * weight[:, :, None]).transpose(0, 2, 1)
        precision = weighed @ whole + np.eye(whole.shape[2])
        apart = (self.rows - self.population[:, None]).reshape(chains, annotators, -1)
        root = np.linalg.cholesky(precision)
        noise = self._normal(chains, whole.shape[2], annotators)
        above = np.linalg.solve(root, weighed @ apart.transpose(0, 2, 1)) + noise
        self.values = np.linalg.solve(root.transpose(0, 2, 1), above).transpose(0, 2, 1)
        if along:
            self._move_values()

    def _move_values(self) -> None:
        """Draw the effects of annotators once more, their rows moving along."""
        chains, annotators, states, free = self.shape
        base = (self.rows - self._moved(self.scale)).reshape(-1, states * free)
        place = np.arange(chains * annotators * states).reshape(-1, states)
        scale = np.repeat(self.scale[:, self.effect_of], annotators, axis=0).T

        def rows(values: Float[np.ndarray, "P N"], which: Which) -> Any:
            moved = (values * scale[:, which]).T @ self.direction.T
            return (base[which] + moved).reshape(-1, free)

        def of_annotators(values: Float[np.ndarray, "P N"], which: Which) -> Any:
            laid_out = np.ascontiguousarray(rows(values, which).T)
            of_rows = which if isinstance(which, slice) else place[which].ravel()
            return self.likelihood(laid_out, of_rows).reshape(-1, states).sum(1)

        values = self.values.reshape(chains * annotators, -1).T
        values = elliptical_slice(values, 1.0, of_annotators, self.random)
        self.values = values.T.reshape(self.values.shape)
        self.rows = rows(values, slice(None)).reshape(self.shape)

    def _draw_population(self) -> None:
        """Draw the population given the rows."""
        design = self.design
        apart = (self.rows - self._moved(self.scale)).sum(1)
        weight, prior = self.spread[..., None] ** -2.0, design.population**-2.0
        precision = self.shape[1] * weight + prior
        mean = (apart * weight + design.centre * prior) / precision
        self.population = mean + self._normal(*mean.shape) / np.sqrt(precision)

    def _draw_scales(self) -> None:
        """Draw the standard deviations of the effects given the rows: a regression.

        Their signs and those of the effects are drawn as well; only products count.
        """
        chains, annotators, _, free = self.shape
        number = len(self.effects)
        whole = self.values[..., None] * self.direction.T
        along = np.stack(
            [whole[:, :, self.effect_of == each].sum(2) for each in range(number)], 1
        ).reshape(chains, number, -1)
        weight = np.repeat(1 / self.spread, free, axis=1)[:, None]
        weight = np.tile(weight, annotators)
        along *= weight
        apart = (self.rows - self.population[:, None]).reshape(chains, 1, -1) * weight
        precision = along @ along.transpose(0, 2, 1) + np.diag(self.prior_scale**-2.0)
        root = np.linalg.cholesky(precision)
        above = np.linalg.solve(root, along @ apart.transpose(0, 2, 1))
        above += self._normal(chains, number, 1)
        self.scale = np.linalg.solve(root.transpose(0, 2, 1), above)[..., 0]

    def _draw_spread(self) -> None:
        """Draw the standard deviation of what is left in the rows, given the rows.

        The likelihood makes the variance inverse gamma; a proposal from that is taken
        by the ratio of the half-normal priors.
        """
        square = ((self.rows - self._mean()) ** 2).sum((1, 3))
        number = self.shape[1] * self.shape[3]
        freedom = max(number - 1, 1)
        there = square / self.random.chisquare(freedom, square.shape)
        now = self.spread**2
        gain = -0.5 * (there - now) / self.design.spread**2
        gain += 0.5 * (freedom + 1 - number) * (np.log(there) - np.log(now))
        taken = -self.random.standard_exponential(square.shape) < gain
        self.spread = np.sqrt(np.where(taken, there, now))

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

        for place, effect in enumerate(self.effects):
            walk, step = self.walk_of[effect.name], np.zeros_like(self.scale)
            step[:, place] = walk.step(self.random)
            there = self.scale + step
            gain = -_half_square(there, self.scale, self.prior_scale).sum(1)
            rows = self.rows + self._moved(step)
            taken, now = self._try(walk, rows, now, gain)
            self.scale = np.where(taken[:, None], there, self.scale)

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
    there: Float[np.ndarray, "..."], now: Float[np.ndarray, "..."], scale: Any
) -> Float[np.ndarray, "..."]:
    """Return by how much a normal log density falls on the way there."""
    return 0.5 * (there**2 - now**2) / scale**2
