r"""Gibbs sampling: the truth given the annotators, and they given the truth.

A sweep of a model of confusion rows with normal effects (`model.RowEffects`)

1. moves all that moves the rows (the population, the standard deviations, the effects
   of annotators, what is left in each row), how much items differ in ease, and the
   prevalence, along a Hamiltonian trajectory, the truth and the ease of every item
   summed out; and lets states that votes confuse change places there;
2. draws the truth and ease of every item, and the prevalence given them, exactly;
3. draws every row, given what moves it, by an elliptical slice;
4. draws the effects of each annotator, the populations and all standard deviations
   given the rows, exactly but for one proposal.

Prevalence, accuracies and labels hold each other in place where annotators disagree:
draws of each given the others had an autocorrelation time of some 460 sweeps in 480
answers. A trajectory moves them together. Along it rows move with what moves them,
which mixes where answers are few; and in the last step they stay, which mixes where
they are many (Yu and Meng 2011). Of two labels that are alike, either can be that of
most items, and few trajectories lead from one explanation to the other: exchanges of
both labels do. Chains run side by side in one set of arrays, so that many cost little
more than one, and learn together how far to go; nothing is compiled.

**The gradient.** With :math:`n_{jktl}` the expected number of answers l of annotator j
in state k at node t of ease, and p the chance of each, the log-odds of a row have the
slope :math:`\sum_t (n_{jktl} - p_{jktl} \sum_{l'} n_{jktl'})`; that of everything else
follows since rows are sums of products. Half-normal standard deviations move as normal
numbers whose sign does not matter, so that all but the prevalence are standard normal
before the answers.

References
----------
Neal (2011), MCMC using Hamiltonian dynamics, section 5.
Murray, Adams and MacKay (2010), Elliptical slice sampling, section 2.
Yu and Meng (2011), To center or not to center: that is not the question, section 2.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from consilience.inference.moves import (
    Point,
    RowLikelihood,
    Trajectories,
    elliptical_slice,
)
from consilience.inference.truth_draws import Scored, TruthDraws, eased
from consilience.model import DIFFICULTY, TYPICAL, RowEffects, normal_nodes

START = 0.5  # of every standard deviation, as a share of its prior scale
FAR = 1e3  # standard deviations of the prior: trajectories that diverge stay finite
# Steps of a trajectory for each proposal that two states change places, which costs as
# much as a step; and of how many items a state has so few that its row is unknown.
EXCHANGE, FEW = 8, 3
TOWARDS_VOTES = 5  # draws of the rows given the votes, from where a chain starts
type Rows = Float[np.ndarray, "C J K F"]


class Chains:
    """Chains of a model of confusion rows with normal effects."""

    CHANGES: tuple[str, ...] = (
        *("truth", "random", "population", "spread", "difficulty", "scale"),
        *("values", "rows", "trajectories"),
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
        self.trajectories = Trajectories(self._packed().shape[1])
        self.likelihood = self._counted(truth.at_first(generator))
        for _ in range(TOWARDS_VOTES):
            self._draw_rows()

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
        self.of_effect = np.eye(len(numbers))[self.effect_of]
        self.prior_scale = np.array([effect.scale for effect in self.effects])
        shapes: list[tuple[int, ...]] = [(groups, states, free), (groups, states)]
        shapes += [(groups, len(numbers)), (), (annotators, sum(numbers))]
        shapes.append((annotators, states, free))
        ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
        self.parts, self.normal = list(zip([0, *ends], shapes, strict=False)), ends[-1]

    def sweep(self, steps: int, *, tune: bool) -> Scored:
        """Draw everything once; return what a trajectory's end says of the truth."""
        reached = self._follow(steps, tune=tune)
        counts = self.truth.draw(reached, self.random)
        self.likelihood = self._counted(counts)
        self._draw_rows()
        self._draw_values()
        self._draw_population()
        self._draw_scales()
        self._draw_spread()
        return reached

    def height(self, scored: Scored) -> Float[np.ndarray, " C"]:
        """Return how probable the explanation is that each chain stands in."""
        apart = (self.population - self.design.centre) / self.design.population
        prior = -0.5 * (apart**2).sum((1, 2, 3))
        return scored.log_likelihood.sum(1, dtype=float) + prior

    def restart(self, source: Int[np.ndarray, " C"]) -> None:
        """Let chains go on from where others stand."""
        for name in ("population", "spread", "difficulty", "scale", "values", "rows"):
            setattr(self, name, getattr(self, name)[source])
        self.truth.restart(source)

    def parameters(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return where the chains stand, as the NumPyro program names it."""
        return {**self.truth.parameters(), **self.of_annotators()}

    def of_annotators(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return what is of annotators, and how much items differ."""
        distance = (self.rows - self._mean()) / self.spread[:, self.group, :, None]
        of_effects = {}
        for place, effect in enumerate(self.effects):
            values = self.values[:, :, self.effect_of == place]
            of_effects[f"{effect.name}_spread"] = self.scale[:, :, place]
            of_effects[effect.name] = values
        return {
            "population": self.population,
            "spread": self.spread,
            **of_effects,
            "distance": distance,
            **({DIFFICULTY: np.abs(self.difficulty)} if self.design.difficulty else {}),
            TYPICAL: np.exp(self._typical()),
        }

    def _normal(self, *shape: int) -> Float[np.ndarray, "..."]:
        return self.random.standard_normal(shape)

    def _typical(self) -> Float[np.ndarray, "C J K L"]:
        log_odds: Float[np.ndarray, "C J K L"] = self.rows @ self.design.basis.T
        log_odds -= log_odds.max(-1, keepdims=True)
        log_odds -= np.log(np.exp(log_odds).sum(-1, keepdims=True))
        return log_odds

    def _mean(self) -> Rows:
        """Return the prior mean of the rows: the population moved by the effects."""
        return self.population[:, self.group] + self._moved()

    def _moved(self) -> Rows:
        """Return by how much effects move the rows."""
        values = self.values * self.scale[:, self.group][:, :, self.effect_of]
        return (values @ self.direction.T).reshape(self.shape)

    def _counted(self, counts: Float[np.ndarray, "C J K T L"]) -> RowLikelihood:
        design = self.design
        likelihood = RowLikelihood(counts, design.basis, design.ease, self.node)
        return likelihood.at(self.difficulty)

    def _laid_out(self, rows: Rows) -> Float[np.ndarray, "F N"]:
        return np.ascontiguousarray(rows.reshape(-1, self.shape[-1]).T)

    def _follow(self, steps: int, *, tune: bool) -> Scored:
        """Move along a trajectory, the truth and the ease of items summed out."""
        at, reached = self.trajectories.move(
            self._packed(), self._density, self.random, steps, tune=tune
        )
        for _ in range(steps // EXCHANGE):
            at, reached = self._exchange(at, reached)
        self._unpack(at)
        return reached.more

    def _exchange(
        self, at: Float[np.ndarray, "C P"], here: Point
    ) -> tuple[Float[np.ndarray, "C P"], Point]:
        """Let two states of the truth change places, or not: a Metropolis step."""
        states = self.truth.confused(self.random)
        if states is None:
            return at, here
        proposed = self._exchanged(at, *states.tolist())
        there = self._density(proposed)
        waits = self.random.standard_exponential(len(at))
        taken = -waits < there.height - here.height
        return np.where(taken[:, None], proposed, at), here.where(taken, there)

    def _exchanged(
        self, packed: Float[np.ndarray, "C P"], one: int, other: int
    ) -> Float[np.ndarray, "C P"]:
        """Return where two states have changed places: an isometry, and its inverse."""
        population, spread, scale, difficulty, values, distance, odds = self._parts(
            packed
        )
        turn = np.arange(self.shape[2])
        turn[[one, other]] = other, one
        centre = self.design.centre / self.design.population
        apart = centre[one] - centre[other]
        apart = apart / max(np.linalg.norm(apart), np.finfo(float).tiny)
        mirror = np.eye(len(apart)) - 2 * np.outer(apart, apart)
        share = np.exp(odds - odds.max(1, keepdims=True))
        most = FEW / len(self.truth.state) * share.sum(1, keepdims=True)
        rare = (share < np.minimum(share[:, turn], most))[:, None, turn, None]
        whole, rest = population[:, :, turn], distance[:, :, turn]
        whole = np.where(rare, whole @ mirror, whole + centre[turn] - centre)
        rest = np.where(rare, rest @ mirror, rest)
        spread, odds = spread[:, :, turn], odds[:, turn]
        return _flat((whole, spread, scale, difficulty, values, rest, odds))

    def _packed(self) -> Float[np.ndarray, "C P"]:
        """Return all that moves the rows, as standard normal as its prior is."""
        design = self.design
        distance = (self.rows - self._mean()) / self.spread[:, self.group, :, None]
        parts = (
            (self.population - design.centre) / design.population,
            self.spread / design.spread,
            self.scale / self.prior_scale,
            self.difficulty / (design.difficulty or 1.0),
            self.values,
            distance,
            self.truth.log_odds(),
        )
        return _flat(parts)

    def _parts(self, packed: Float[np.ndarray, "C P"]) -> list[np.ndarray]:
        """Return what was packed, part by part."""
        parts = [
            packed[:, first : first + math.prod(shape)].reshape(len(packed), *shape)
            for first, shape in self.parts
        ]
        return [*parts, packed[:, self.normal :]]

    def _unpack(self, packed: Float[np.ndarray, "C P"]) -> None:
        """Stand where a trajectory has ended. Signs count in products only."""
        population, spread, scale, difficulty, values, distance, odds = self._parts(
            packed
        )
        design = self.design
        self.population = design.centre + design.population * population
        self.scale, self.values = self.prior_scale * scale, values
        self.difficulty = design.difficulty * difficulty
        spread = design.spread * spread
        self.rows = self._mean() + spread[:, self.group, :, None] * distance
        self.spread = np.abs(spread)
        self.truth.logit = self.truth.at(odds)
        self._positive()

    def _positive(self) -> None:
        """Make the standard deviations of effects positive, which moves no row."""
        sign = np.where(self.scale < 0, -1.0, 1.0)
        self.scale = self.scale * sign
        self.values = self.values * sign[:, self.group][:, :, self.effect_of]

    def _density(self, packed: Float[np.ndarray, "C P"]) -> Point:
        """Return the log density of all that moves the rows, and its gradient."""
        design, group = self.design, self.group
        chains, annotators = self.shape[:2]
        population, spread, scale, difficulty, values, distance, odds = self._parts(
            np.clip(packed, -FAR, FAR)
        )
        scales = (self.prior_scale * scale)[:, group][:, :, self.effect_of]
        deviation = (design.spread * spread)[:, group, :, None]
        moved = ((values * scales) @ self.direction.T).reshape(self.shape)
        mean = (design.centre + design.population * population)[:, group]
        rows = mean + moved + deviation * distance
        harder = design.difficulty * difficulty
        tables = eased(rows @ design.basis.T, harder, design.ease, self.node)
        logit = self.truth.at(odds)
        scored = self.truth.scored(tables, logit)
        answers, of_states = self.truth.expected(scored)
        prior, slope_of_odds = self.truth.pull(of_states, logit)
        # Through the softmax of each row at each node; sums over nodes, also of ease.
        answers -= answers.sum(1, keepdims=True) * np.exp(tables)
        power = np.stack([np.ones_like(self.node), self.node], 1).astype(np.float32)
        both = (answers.reshape(-1, len(power)) @ power).astype(float)
        both = both.reshape(*tables.shape[:4], 2)
        of_rows = np.tensordot(both[..., 0], design.basis, (1, 0)).swapaxes(0, 1)
        of_difficulty = np.einsum("jlck,kl->c", both[..., 1], design.ease)
        of_values = of_rows.reshape(chains, annotators, -1) @ self.direction
        of_scales = (of_values * values) @ self.of_effect
        slopes = (
            design.population * self._by_group(of_rows),
            design.spread * self._by_group((of_rows * distance).sum(3)),
            self.prior_scale * self._by_group(of_scales),
            design.difficulty * of_difficulty,
            of_values * scales,
            deviation * of_rows,
            slope_of_odds,
        )
        slope = _flat(slopes)
        normal = packed[:, : self.normal]
        slope[:, : self.normal] -= normal
        height = scored.log_likelihood.sum(1, dtype=float) + prior
        height -= 0.5 * (normal**2).sum(1)
        return Point(height, slope, scored)

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

    def _draw_values(self) -> None:
        """Draw the effects of annotators given the rows."""
        if not self.effects:
            return
        values = np.empty_like(self.values)
        for group in range(len(self.member)):
            values[:, self.group == group] = self._values_of(group)
        self.values = values

    def _values_of(self, group: int) -> Float[np.ndarray, "C M P"]:
        """Draw the effects of the annotators of a group given their rows."""
        chains, _, _, free = self.shape
        whole = self.direction * self.scale[:, group][:, None, self.effect_of]
        weight = np.repeat(self.spread[:, group] ** -2.0, free, axis=1)
        weighed = (whole * weight[:, :, None]).transpose(0, 2, 1)
        precision = weighed @ whole + np.eye(whole.shape[2])
        apart = self.rows[:, self.group == group] - self.population[:, None, group]
        apart = apart.reshape(chains, -1, whole.shape[1]).transpose(0, 2, 1)
        return self._regressed(precision, weighed @ apart).transpose(0, 2, 1)

    def _regressed(
        self, precision: Float[np.ndarray, "C P P"], pull: Float[np.ndarray, "C P M"]
    ) -> Float[np.ndarray, "C P M"]:
        """Draw coefficients of regressions, as columns."""
        root = np.linalg.cholesky(precision)
        above = np.linalg.solve(root, pull) + self._normal(*pull.shape)
        drawn: Float[np.ndarray, "C P M"]
        drawn = np.linalg.solve(root.transpose(0, 2, 1), above)
        return drawn

    def _draw_population(self) -> None:
        """Draw the populations given the rows."""
        design = self.design
        apart = self._by_group(self.rows - self._moved())
        weight, prior = self.spread[..., None] ** -2.0, design.population**-2.0
        size = self.member.sum(1)[:, None, None]
        precision = size * weight + prior
        mean = (apart * weight + design.centre * prior) / precision
        self.population = mean + self._normal(*mean.shape) / np.sqrt(precision)

    def _draw_scales(self) -> None:
        """Draw the standard deviations of the effects given the rows: a regression."""
        if not self.effects:
            return
        for group in range(len(self.member)):
            self.scale[:, group] = self._scales_of(group)
        self._positive()

    def _scales_of(self, group: int) -> Float[np.ndarray, "C E"]:
        chains, _, _, free = self.shape
        of_group = self.group == group
        weight = np.repeat(1 / self.spread[:, group], free, axis=1)[:, None]
        values = self.values[:, of_group]
        along = np.stack(
            [
                values[..., self.effect_of == each]
                @ self.direction[:, self.effect_of == each].T
                for each in range(len(self.effects))
            ],
            1,
        )
        along = (along * weight[:, None]).reshape(chains, len(self.effects), -1)
        apart = self.rows[:, of_group] - self.population[:, None, group]
        apart = (apart.reshape(*values.shape[:2], -1) * weight).reshape(chains, -1, 1)
        precision = along @ along.transpose(0, 2, 1) + np.diag(self.prior_scale**-2.0)
        return self._regressed(precision, along @ apart)[..., 0]

    def _draw_spread(self) -> None:
        """Draw the standard deviations of what is left in the rows, given the rows."""
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
        flat = of_annotators.reshape(chains, annotators, math.prod(rest))
        return (self.member @ flat).reshape(chains, len(self.member), *rest)


def _flat(parts: Sequence[Float[np.ndarray, "C ..."]]) -> Float[np.ndarray, "C P"]:
    """Lay out parts one beside the other, also those that a model has none of."""
    return np.concatenate(
        [part.reshape(len(part), math.prod(part.shape[1:])) for part in parts], 1
    )
