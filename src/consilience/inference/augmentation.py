"""Data augmentation: draws from the exact posterior, started at an optimum.

In turn, learned concentrations are drawn given the truth, the parameters given both,
and the truth given the parameters (Tanner and Wong 1987). The last two are exact;
concentrations take random-walk steps (Metropolis) in their logarithms, the parameters
integrated out: given these, they would hardly move where answers are few. The start
lies inside the posterior, so little is thrown away; successive draws are alike, and the
chain stays with the optimum that it started from. Parameters that are free numbers stay
where the climb has left them. Prevalence and the weights of candidates' columns are
drawn given the truth, too.
"""

from functools import partial
from statistics import NormalDist
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logit
from jaxtyping import Array, Float, Int, Key

from consilience.inference.ascent import Climb, as_told, imagined_units
from consilience.inference.compiled import compiled
from consilience.inference.gamma import log_dirichlets
from consilience.inference.leap import evidence
from consilience.inference.logit_draws import Walk, draw_logit, walk
from consilience.inference.logit_step import Told, told_by
from consilience.model import (
    AnnotatorModel,
    Dirichlet,
    Parameters,
    belief,
    closed_priors,
    derived,
    drawn_counts,
    marginal,
    posterior_of_truth,
    score,
)
from consilience.progress import Progress, Reporter
from consilience.truth import Observations

BLOCK = 10  # draws between looks at the clock and the keyboard
BURN_IN = 20  # sweeps thrown away; a whole number of blocks
SURE = 27.6  # log-odds are cut at those of a probability 1e-12 from 0 or 1
# Steps of the concentrations in a sweep, each of a size drawn anew between an eighth
# and four times the spread that J known vectors leave, so that some fit however they
# are known.
STEPS = 10
SIZES = (-3.0, 2.0)


class _State(NamedTuple):
    """Where the chain stands: counts of the drawn truth, and concentrations.

    Where candidates have columns, also prevalence and weights, and what the truth says
    of these.
    """

    counts: Parameters
    concentration: Parameters
    logit: Parameters
    told: Told | None


class _Kept(NamedTuple):
    """What stays as it is: free numbers, and how the weights of columns walk."""

    free: Parameters
    walk: Walk | None


class Draws(NamedTuple):
    """Draws of the parameters, and log-likelihood (draw, U) of each."""

    parameters: Parameters
    likelihood: Any


class Moments(NamedTuple):
    """Sums over draws: of P(state), of its log-odds, and of their squares."""

    belief: Float[Array, "U S"]
    first: Float[Array, "U S"]
    second: Float[Array, "U S"]


def augment(
    model: AnnotatorModel[Any],
    observations: Observations,
    where: Climb,
    truth: Float[Array, "U S"],
    key: Key[Array, ""],
    number: int,
    report: Reporter,
) -> tuple[Draws, Moments]:
    """Draw from the exact posterior, from where a climb has ended.

    Parameters
    ----------
    model
        A model with Dirichlet priors.
    observations
        The answers.
    where
        Where the climb ended.
    truth
        What is believed there.
    key
        Random key.
    number
        Draws to keep.
    report
        Called with the progress made.
    """
    told, how = None, None
    if where.logit:
        imagined = imagined_units(model, observations)
        told, how = _learned_of_logit(observations, imagined, where.logit, truth)
    still = _Kept(where.free, how)
    state = _State(where.counts, where.concentration, where.logit, told)
    zero = jnp.zeros(observations.guess.shape)
    moments = Moments(zero, zero, zero)
    kept = []
    blocks = -(-(BURN_IN + number) // BLOCK)
    for block in range(blocks):
        before = block * BLOCK - BURN_IN
        state, moments, draws = _draw_block(
            model,
            observations,
            still,
            state,
            moments,
            jax.random.fold_in(key, block),
            before,
            number,
        )
        if before + BLOCK > 0:
            kept.append(jax.tree.map(np.asarray, draws))
        done = min((block + 1) * BLOCK, BURN_IN + number)
        report(Progress("drawing", done, BURN_IN + number))
    joined = jax.tree.map(lambda *parts: np.concatenate(parts)[:number], *kept)
    return joined, moments


@jax.jit
def _learned_of_logit(
    observations: Observations,
    imagined: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> tuple[Told, Walk]:
    return told_by(observations, truth), walk(observations, imagined, logit)


@partial(compiled, static_argnames="model")
def _draw_block(
    model: AnnotatorModel[Any],
    observations: Observations,
    still: _Kept,
    state: _State,
    moments: Moments,
    key: Key[Array, ""],
    before: Int[Array, ""] | int,
    number: Int[Array, ""] | int,
) -> tuple[_State, Moments, Draws]:
    priors = closed_priors(model, observations)
    imagined = imagined_units(model, observations)

    def step(carry: Any, at: Any) -> Any:
        at_last, moments = carry
        of_sweep = jax.random.fold_in(key, at)
        of_parameters, of_priors, of_truth, of_parts = jax.random.split(of_sweep, 4)
        concentration = {
            name: _draw_concentration(
                jax.random.fold_in(of_priors, index),
                prior,
                at_last.concentration[name],
                at_last.counts[name],
            )
            for index, (name, prior) in enumerate(sorted(priors.items()))
        }
        logs = log_dirichlets(
            of_parameters,
            {
                name: concentration[name] + count
                for name, count in at_last.counts.items()
            },
        )
        prior, told_of = at_last.logit, at_last.told
        if still.walk is not None and told_of is not None:
            of_logit = jax.random.fold_in(of_sweep, 4)
            prior = draw_logit(
                of_logit, observations, imagined, prior, told_of, still.walk
            )
        whole = {**logs, **still.free, **prior}
        scores = score(model, observations, whole)
        believed = belief(scores)
        truth = _one_of(of_truth, believed)
        counts = drawn_counts(model, observations, whole, truth, of_parts)
        counts = {name: counts[name] for name in logs}
        if told_of is not None:
            told_of = told_by(observations, posterior_of_truth(model, truth))
        # Summed over finer states, a probability can round to more than one.
        sure = jnp.minimum(posterior_of_truth(model, believed), 1.0)
        odds = jnp.clip(logit(sure), -SURE, SURE)
        keep = ((before + at >= 0) & (before + at < number)).astype(odds.dtype)
        gained = Moments(sure, odds, odds**2)
        moments = jax.tree.map(lambda sums, one: sums + keep * one, moments, gained)
        told = {name: jnp.exp(log) for name, log in logs.items()}
        told.update(still.free)
        told.update(as_told(prior))
        told.update(derived(model, observations, whole))
        single = {name: value.astype(jnp.float32) for name, value in told.items()}
        likelihood = marginal(scores).astype(jnp.float32)
        state = _State(counts, concentration, prior, told_of)
        return (state, moments), Draws(single, likelihood)

    (state, moments), draws = jax.lax.scan(step, (state, moments), jnp.arange(BLOCK))
    return state, moments, draws


def _draw_concentration(
    key: Key[Array, ""],
    prior: Dirichlet,
    concentration: Float[Array, "*shared L"],
    counts: Float[Array, "*batch L"],
) -> Float[Array, "*shared L"]:
    if prior.held is None:
        return concentration
    number = counts.size // concentration.size

    def log_density(walker: Float[Array, "*shared L"]) -> Float[Array, "*shared"]:
        return evidence(prior, counts, jnp.exp(walker))[..., 0] + walker.sum(-1)

    def step(walker: Float[Array, "*shared L"], key: Any) -> Any:
        of_size, of_move, of_luck = jax.random.split(key, 3)
        rows = walker.shape[:-1]
        size = 2.0 ** jax.random.uniform(
            of_size, (*rows, 1), minval=SIZES[0], maxval=SIZES[1]
        )
        move = jax.random.normal(of_move, walker.shape) * size / jnp.sqrt(number)
        gain = log_density(walker + move) - log_density(walker)
        taken = jnp.log(jax.random.uniform(of_luck, rows)) < gain
        return jnp.where(taken[..., None], walker + move, walker), None

    walker, _ = jax.lax.scan(step, jnp.log(concentration), jax.random.split(key, STEPS))
    return jnp.exp(walker)


def _one_of(key: Key[Array, ""], truth: Float[Array, "U S"]) -> Float[Array, "U S"]:
    # One uniform number a unit against the running sum: a tenth of the random numbers
    # that a Gumbel draw of each state would need.
    below = jnp.cumsum(truth, axis=1)
    point = jax.random.uniform(key, (truth.shape[0], 1), truth.dtype) * below[:, -1:]
    slot = (below <= point).sum(1, keepdims=True)
    return (jnp.arange(truth.shape[1]) == slot).astype(truth.dtype)


def mean_belief(moments: Moments, number: int) -> Float[np.ndarray, "U S"]:
    """Return the mean of P(state) over the draws.

    Parameters
    ----------
    moments
        Sums over the draws.
    number
        Draws that were summed.
    """
    total = np.asarray(moments.belief)
    whole = total.sum(1, keepdims=True)
    mean: Float[np.ndarray, "U S"] = total / np.where(whole > 0, whole, number)
    return mean


def interval(
    moments: Moments, number: int, mass: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    """Return bounds of P(state): of its log-odds over the draws, taken as normal.

    Parameters
    ----------
    moments
        Sums over the draws.
    number
        Draws that were summed.
    mass
        Probability that an interval holds.
    """
    middle = np.asarray(moments.first) / number
    variance = np.asarray(moments.second) / number - middle**2
    reach = NormalDist().inv_cdf((1 + mass) / 2) * np.sqrt(np.maximum(variance, 0))
    lower, upper = middle - reach, middle + reach
    return 1 / (1 + np.exp(-lower)), 1 / (1 + np.exp(-upper))
