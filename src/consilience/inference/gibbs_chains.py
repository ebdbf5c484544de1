r"""Gibbs sampling: the truth given the annotators, and they given the truth.

A sweep of a model of confusion rows with normal effects (`model.RowEffects`) draws

1. how much items differ in ease, by a random walk with truth and ease summed out;
2. in turn with that, the population and the prevalence, all rows moving along, by a
   random walk in the direction that was slowest before, truth and ease summed out;
3. the truth and ease of every item, exactly; and the prevalence given them, exactly;
4. every row, given what moves it, by an elliptical slice;
5. the effects of each annotator given its rows, exactly; and once more by an elliptical
   slice along which its rows move;
6. the population and all standard deviations, given the rows; and once more with the
   rows moving along.

Each of the last two is drawn in two parametrizations, since one of them mixes where
answers are many and the other where they are few. Where two labels are much alike, the
truth of many items and the rows of all annotators hold each other in place; the second
step moves what they have in common without them. Chains run side by side in one set of
arrays, so that many cost little more than one; nothing is compiled.

References
----------
Murray, Adams and MacKay (2010), Elliptical slice sampling, section 2.
Yu and Meng (2011), To center or not to center: that is not the question, section 2.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.inference.row_moves import (
    RandomWalk,
    RowLikelihood,
    Which,
    elliptical_slice,
)
from consilience.inference.truth_draws import Scored, TruthDraws
from consilience.model import (
    DIFFICULTY,
    PREVALENCE,
    TYPICAL,
    RowEffects,
    normal_nodes,
)

EVERY = 2  # sweeps between the two steps that take longest, those of steps 1 and 5
START = 0.5  # of every standard deviation, as a share of its prior scale
BATCHES = 8  # of a chain's draws, whose means show what is slow
LEAST = 1e-12  # prevalence whose logarithm is taken
type Rows = Float[np.ndarray, "C J K F"]


class Swept:
    """What a sweep says of the truth."""

    def __init__(self, truth: TruthDraws, scored: Scored) -> None:
        self._truth, self._scored = truth, scored
        self.log_likelihood = scored.log_likelihood

    @cached_property
    def belief(self) -> Float[np.ndarray, "C U S"]:
        """The posterior of the truth in each chain."""
        return self._truth.belief(self._scored)


class Chains:
    """Chains of a model of confusion rows with normal effects."""

    CHANGES: tuple[str, ...] = (
        *("truth", "random", "shape", "population", "spread", "difficulty", "scale"),
        *("values", "rows", "walk_of", "slow", "sweeps"),
    )

    def __init__(
        self,
        effects: RowEffects,
        truth: TruthDraws,
        annotators: int,
        generator: np.random.Generator,
    ) -> None:
        self.truth, chains = truth, truth.chains
        self.describe(effects, chains, annotators, generator)
        _, _, states, free = self.shape
        groups = effects.num_groups
        centre = np.broadcast_to(effects.centre, (chains, groups, states, free))
        self.population = centre.copy()
        self.spread = np.full((chains, groups, states), START * effects.spread)
        self.difficulty = np.full(chains, START * effects.difficulty)
        self.scale = np.tile(START * self.prior_scale, (chains, groups, 1))
        self.values = np.zeros((chains, annotators, len(self.effect_of)))
        deviation = self.spread[:, self.group, :, None]
        self.rows = self._mean() + deviation * self._normal(*self.shape)
        self.walk_of = {
            "difficulty": RandomWalk((chains,)),
            "spread": RandomWalk((chains, groups, states)),
            "population": RandomWalk((chains, groups, states)),
            **{effect.name: RandomWalk((chains, groups)) for effect in self.effects},
            "slow": RandomWalk((chains,)),
        }
        self.slow: Float[np.ndarray, " P"] | None = None
        self.likelihood = self._counted(truth.at_first(generator))
        self.sweeps = 0

    def describe(
        self,
        effects: RowEffects,
        chains: int,
        annotators: int,
        generator: np.random.Generator,
    ) -> None:
        """Lay out what moves the rows."""
        self.design, self.random = effects, generator
        self.node, _ = normal_nodes(effects.nodes)
        states, free = effects.centre.shape
        self.shape = chains, annotators, states, free
        self.group, groups = np.asarray(effects.group), effects.num_groups
        self.member = np.eye(groups)[:, self.group]
        self.effects = effects.effects
        numbers = [effect.direction.shape[2] for effect in self.effects]
        self.effect_of = np.repeat(np.arange(len(numbers)), numbers)
        self.direction = np.concatenate(
            [np.zeros((states, free, 0)), *(each.direction for each in self.effects)], 2
        ).reshape(states * free, -1)
        self.prior_scale = np.array([effect.scale for effect in self.effects])

    def sweep(self, *, tune: bool) -> Swept:
        """Draw everything once."""
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

    def learn(self, draws: Sequence[Mapping[str, Float[np.ndarray, "C ..."]]]) -> None:
        """Learn from earlier draws which direction is slow, to walk along it."""
        prevalence = np.stack([draw[PREVALENCE] for draw in draws], 1)
        population = np.stack([draw["population"] for draw in draws], 1)
        chains, number = population.shape[:2]
        log_odds = np.log(np.maximum(prevalence, LEAST)).reshape(chains, number, -1)
        log_odds -= log_odds.mean(2, keepdims=True)
        both = population.reshape(chains, number, -1), log_odds
        self.slow = slowest(np.concatenate(both, 2).astype(float))
        self.walk_of["slow"] = RandomWalk((chains,))

    def height(self, swept: Swept) -> Float[np.ndarray, " C"]:
        """Return how probable the explanation is that each chain stands in.

        The log-likelihood of all answers, and the prior of the populations: where names
        of labels are swapped, that is far from its mean.
        """
        apart = (self.population - self.design.centre) / self.design.population
        return swept.log_likelihood.sum(1, dtype=float) - 0.5 * (apart**2).sum(
            (1, 2, 3)
        )

    def restart(self, source: Int[np.ndarray, " C"]) -> None:
        """Let chains go on from where others stand."""
        self.shape = len(source), *self.shape[1:]
        for name in ("population", "spread", "difficulty", "scale", "values", "rows"):
            setattr(self, name, getattr(self, name)[source])
        for walk in self.walk_of.values():
            walk.size = walk.size[source]
        self.truth.restart(source)

    def parameters(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return where the chains stand, as the NumPyro program names it."""
        return {**self.truth.parameters(), **self.of_annotators()}

    def of_annotators(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return what is of annotators, and how much items differ."""
        distance = (self.rows - self._mean()) / self.spread[:, self.group, :, None]
        sign = np.where(self.scale < 0, -1.0, 1.0)[:, self.group]
        of_effects = {}
        for place, effect in enumerate(self.effects):
            values = self.values[:, :, self.effect_of == place]
            of_effects[f"{effect.name}_spread"] = np.abs(self.scale[:, :, place])
            of_effects[effect.name] = values * sign[:, :, None, place]
        return {
            "population": self.population,
            "spread": self.spread,
            **of_effects,
            "distance": distance,
            **({DIFFICULTY: self.difficulty} if self.design.difficulty else {}),
            TYPICAL: np.exp(self._typical()),
        }

    def _normal(self, *shape: int) -> Float[np.ndarray, "..."]:
        return self.random.standard_normal(shape)

    def _typical(self, rows: Rows | None = None) -> Float[np.ndarray, "C J K L"]:
        rows = self.rows if rows is None else rows
        log_odds: Float[np.ndarray, "C J K L"] = rows @ self.design.basis.T
        log_odds -= log_odds.max(-1, keepdims=True)
        log_odds -= np.log(np.exp(log_odds).sum(-1, keepdims=True))
        return log_odds

    def _mean(self) -> Rows:
        """Return the prior mean of the rows: the population moved by the effects."""
        return self.population[:, self.group] + self._moved(self.scale)

    def _moved(self, scale: Float[np.ndarray, "C G E"]) -> Rows:
        """Return by how much effects move the rows, with these standard deviations."""
        values = self.values * scale[:, self.group][:, :, self.effect_of]
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
        if difficulty and self.design.difficulty:
            now = self._draw_difficulty(typical, now)
        elif self.slow is not None:
            now = self._move_slowly(now, self.slow)
        counts = self.truth.draw(now, self.random)
        return Swept(self.truth, now), counts

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

    def _move_slowly(self, now: Scored, slow: Float[np.ndarray, " P"]) -> Scored:
        """Walk along the slow direction, the truth summed out."""
        walk, shape = self.walk_of["slow"], self.population.shape
        step = walk.step(self.random)[:, None] * slow
        number = self.population[0].size
        logit, gain = self.truth.moved(step[:, number:])
        shift = step[:, :number].reshape(shape)
        population = self.population + shift
        centre, scale = self.design.centre, self.design.population
        gain -= _half_square(population - centre, self.population - centre, scale).sum(
            (1, 2, 3)
        )
        rows = self.rows + shift[:, self.group]
        typical = self._typical(rows)
        there = self.truth.scored(typical, self.difficulty, self.design.ease, logit)
        gain += (there.log_likelihood - now.log_likelihood).sum(1, dtype=float)
        taken = walk.accept(gain, self.random)
        self.population = np.where(_wide(taken), population, self.population)
        self.rows = np.where(_wide(taken), rows, self.rows)
        self.truth.logit = [
            logit[chain] if taken[chain] else each
            for chain, each in enumerate(self.truth.logit)
        ]
        return now.where(taken, there)

    def _draw_rows(self) -> None:
        prior = self._mean()
        mean, apart = self._laid_out(prior), self._laid_out(self.rows - prior)
        deviation = self.spread[:, self.group].ravel()
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
        values = np.empty_like(self.values)
        for group in range(len(self.member)):
            values[:, self.group == group] = self._values_of(group)
        self.values = values
        if along:
            self._move_values()

    def _values_of(self, group: int) -> Float[np.ndarray, "C M P"]:
        """Draw the effects of the annotators of a group given their rows."""
        chains, _, _, free = self.shape
        whole = self.direction * self.scale[:, group][:, None, self.effect_of]
        weight = np.repeat(self.spread[:, group] ** -2.0, free, axis=1)
        weighed = (whole * weight[:, :, None]).transpose(0, 2, 1)
        precision = weighed @ whole + np.eye(whole.shape[2])
        apart = self.rows[:, self.group == group] - self.population[:, None, group]
        apart = apart.reshape(chains, -1, whole.shape[1]).transpose(0, 2, 1)
        root = np.linalg.cholesky(precision)
        noise = self._normal(chains, whole.shape[2], apart.shape[2])
        above = np.linalg.solve(root, weighed @ apart) + noise
        values: Float[np.ndarray, "C M P"] = np.linalg.solve(
            root.transpose(0, 2, 1), above
        ).transpose(0, 2, 1)
        return values

    def _move_values(self) -> None:
        """Draw the effects of annotators once more, their rows moving along."""
        chains, annotators, states, free = self.shape
        base = (self.rows - self._moved(self.scale)).reshape(-1, states * free)
        place = np.arange(chains * annotators * states).reshape(-1, states)
        scale = self.scale[:, self.group][:, :, self.effect_of]
        scale = scale.reshape(chains * annotators, -1).T

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
        """Draw the populations given the rows."""
        design = self.design
        apart = self._by_group(self.rows - self._moved(self.scale))
        weight, prior = self.spread[..., None] ** -2.0, design.population**-2.0
        size = self.member.sum(1)[:, None, None]
        precision = size * weight + prior
        mean = (apart * weight + design.centre * prior) / precision
        self.population = mean + self._normal(*mean.shape) / np.sqrt(precision)

    def _draw_scales(self) -> None:
        """Draw the standard deviations of the effects given the rows: a regression.

        Their signs and those of the effects are drawn as well; only products count.
        """
        if not self.effects:
            return
        for group in range(len(self.member)):
            self.scale[:, group] = self._scales_of(group)

    def _scales_of(self, group: int) -> Float[np.ndarray, "C E"]:
        (chains, _, _, free), number = self.shape, len(self.effects)
        of_group = self.group == group
        weight = np.repeat(1 / self.spread[:, group], free, axis=1)[:, None]
        values = self.values[:, of_group]
        along = np.stack(
            [
                values[..., self.effect_of == each]
                @ self.direction[:, self.effect_of == each].T
                for each in range(number)
            ],
            1,
        )
        along = (along * weight[:, None]).reshape(chains, number, -1)
        apart = self.rows[:, of_group] - self.population[:, None, group]
        apart = (apart.reshape(*values.shape[:2], -1) * weight).reshape(chains, -1, 1)
        precision = along @ along.transpose(0, 2, 1) + np.diag(self.prior_scale**-2.0)
        root = np.linalg.cholesky(precision)
        above = np.linalg.solve(root, along @ apart) + self._normal(chains, number, 1)
        scale: Float[np.ndarray, "C E"] = np.linalg.solve(
            root.transpose(0, 2, 1), above
        )[..., 0]
        return scale

    def _draw_spread(self) -> None:
        """Draw the standard deviations of what is left in the rows, given the rows.

        The likelihood makes a variance inverse gamma; a proposal from that is taken by
        the ratio of the half-normal priors.
        """
        square = self._by_group(((self.rows - self._mean()) ** 2).sum(3))
        number = self.member.sum(1)[:, None] * self.shape[3]
        freedom = np.maximum(number - 1, 1)
        there = square / self.random.chisquare(freedom, square.shape)
        now = self.spread**2
        gain = -0.5 * (there - now) / self.design.spread**2
        gain += 0.5 * (freedom + 1 - number) * (np.log(there) - np.log(now))
        taken = -self.random.standard_exponential(square.shape) < gain
        self.spread = np.sqrt(np.where(taken, there, now))

    def _by_group(self, of_annotators: Float[np.ndarray, "C J *rest"]) -> Any:
        """Sum over the annotators of each group."""
        chains, annotators, *rest = of_annotators.shape
        flat = self.member @ of_annotators.reshape(chains, annotators, -1)
        return flat.reshape(chains, -1, *rest)

    def _move_along(self) -> None:
        """Draw what rows have in common once more, the rows moving along."""
        design, now = self.design, self._of_rows(self.rows)
        walk, mean = self.walk_of["spread"], self._mean()
        factor = np.exp(walk.step(self.random))
        spread = factor * self.spread
        gain = np.log(factor) - _half_square(spread, self.spread, design.spread)
        rows = mean + factor[:, self.group, :, None] * (self.rows - mean)
        taken, now = self._try(walk, rows, now, gain)
        self.spread = np.where(taken, spread, self.spread)

        walk = self.walk_of["population"]
        shift = walk.step(self.random)[..., None] * self._normal(*self.population.shape)
        there = self.population + shift
        gain = -_half_square(
            there - design.centre, self.population - design.centre, design.population
        ).sum(-1)
        taken, now = self._try(walk, self.rows + shift[:, self.group], now, gain)
        self.population = np.where(taken[..., None], there, self.population)

        for place, effect in enumerate(self.effects):
            walk, step = self.walk_of[effect.name], np.zeros_like(self.scale)
            step[..., place] = walk.step(self.random)
            there = self.scale + step
            gain = -_half_square(there, self.scale, self.prior_scale).sum(2)
            rows = self.rows + self._moved(step)
            taken, now = self._try(walk, rows, now, gain)
            self.scale = np.where(taken[..., None], there, self.scale)

    def _try(
        self,
        walk: RandomWalk,
        rows: Rows,
        now: Float[np.ndarray, "C J K"],
        gain: Float[np.ndarray, "C G *states"],
    ) -> tuple[Any, Float[np.ndarray, "C J K"]]:
        """Move the rows of each group, or of each state of it, if the answers allow."""
        there = self._of_rows(rows)
        of_states = self._by_group(there - now)
        gain = gain + (of_states if gain.ndim > 2 else of_states.sum(2))
        taken = walk.accept(gain, self.random)
        each = taken[:, self.group].reshape(*now.shape[:2], -1)
        self.rows = np.where(each[..., None], rows, self.rows)
        return taken, np.where(each, there, now)


def slowest(draws: Float[np.ndarray, "C D P"]) -> Float[np.ndarray, " P"]:
    """Return the direction in which means of batches vary most, as far as they do.

    Numbers are measured by how they vary within batches, so that what moves in every
    sweep counts little.
    """
    chains, number, _ = draws.shape
    batches = draws[:, number % BATCHES :].reshape(chains * BATCHES, -1, draws.shape[2])
    means = batches.mean(1) - batches.mean((0, 1))
    within = np.sqrt(batches.var(1).mean(0))
    scaled = means / np.where(within > 0, within, 1.0)
    score = np.linalg.svd(scaled, full_matrices=False)[0][:, 0]
    direction: Float[np.ndarray, " P"] = score @ means / np.sqrt(len(means))
    return direction


def _wide(of_chains: Bool[np.ndarray, " C"]) -> Bool[np.ndarray, "C 1 1 1"]:
    return of_chains[:, None, None, None]


def _half_square(
    there: Float[np.ndarray, "..."], now: Float[np.ndarray, "..."], scale: Any
) -> Float[np.ndarray, "..."]:
    """Return by how much a normal log density falls on the way there."""
    return 0.5 * (there**2 - now**2) / scale**2
