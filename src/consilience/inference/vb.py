"""Variational Bayes: coordinate ascent on the evidence lower bound, then draws.

The posterior of the truth is the variational one. Its Dirichlets for the parameters are
too narrow wherever the truth is uncertain, since they take the truth's posterior for
settled; so intervals come from data augmentation started at the optimum (Tanner and
Wong 1987): draw the parameters given the truth, the truth given the parameters, and so
on, which has the exact posterior as its limit, given the learned concentrations. The
interval of P(label) is that of its log-odds over the draws, taken as normal, and
widened to hold the variational value where need be.
"""

from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import digamma, gammaln, logit
from jaxtyping import Array, Float, Int, Key

from consilience.inference.ascent import Climb, Rule, Steps, climb, logs_and_belief
from consilience.inference.progress import Progress, Reporter, silent
from consilience.inference.result import MAX_KEPT, Result
from consilience.model import (
    AnnotatorModel,
    Parameters,
    belief,
    expected_counts,
    marginal,
    score,
)
from consilience.truth import Observations, Space, observe

BURN_IN = 20  # sweeps from the optimum; the chain starts inside the posterior
BLOCK = 10  # draws between looks at the clock and the keyboard
FEWEST, MOST = 20, 200  # draws; fewer give no interval worth printing
# Answers x states that all draws together may visit unasked: some seconds on two cores.
MAX_VISITS = 500_000_000
MAX_PARAMETERS = 20_000_000  # numbers in all draws together (float32: 80 MB)
MAX_RESTARTED = 1_000_000  # answers x states that are climbed from five starts
SURE = 1e-12  # log-odds are taken of probabilities at least this far from 0 and 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to climb, and how many draws to take.

    Attributes
    ----------
    steps
        When to stop climbing. None: five starts, or one where there are more than a
        million answers x states.
    draws
        Draws for the intervals; None: 200, fewer where answers are many; 0: none.
    mass
        Probability that an interval holds.
    """

    steps: Steps | None = None
    draws: int | None = None
    mass: float = 0.9


def fit(
    model: AnnotatorModel[Any],
    space: Space,
    key: Key[Array, ""],
    effort: Effort,
    report: Reporter = silent,
) -> Result:
    """Fit by variational Bayes.

    Parameters
    ----------
    model
        A model with Dirichlet priors.
    space
        What can be true, and the answers.
    key
        Random key of restarts and draws.
    effort
        How hard to climb and draw.
    report
        Called with the progress made.
    """
    first, second = jax.random.split(key)
    observations = observe(space, per_answer=model.per_answer)
    steps = effort.steps or default_steps(space)
    where, how = climb(model, observations, RULE, steps, first, report)
    _, truth, likelihood = logs_and_belief(model, observations, RULE, where)
    truth = np.asarray(truth)
    size = sum(value.size for value in where.counts.values())
    visits = len(space.unit) * space.state.shape[1]
    number = _affordable(visits, size) if effort.draws is None else effort.draws
    if number == 0:
        remark = (
            "too many answers to draw intervals unasked; --draws asks for them"
            if effort.draws is None
            else "no draws were asked for, so there are no intervals"
        )
        return Result(
            parameters={
                name: _mean(where.concentration[name] + counts)[None, None]
                for name, counts in where.counts.items()
            },
            belief=truth,
            lower=np.full(truth.shape, np.nan),
            upper=np.full(truth.shape, np.nan),
            log_likelihood=np.asarray(likelihood)[None, None],
            sample_stats={},
            optimization=how,
            remarks=(remark,),
        )
    draws, moments = _augment(model, observations, where, second, number, report)
    lower, upper = _interval(moments, number, effort.mass)
    kept = draws.likelihood if number * len(truth) <= MAX_KEPT else None
    return Result(
        parameters={
            name: np.asarray(value)[None] for name, value in draws.parameters.items()
        },
        belief=truth,
        lower=np.minimum(lower, truth),
        upper=np.maximum(upper, truth),
        log_likelihood=None if kept is None else np.asarray(kept)[None],
        sample_stats={},
        optimization=how,
    )


def default_steps(space: Space) -> Steps:
    """Return when to stop: five starts, or one beyond a million answers x states."""
    visits = len(space.unit) * space.state.shape[1]
    return Steps(restarts=5 if visits <= MAX_RESTARTED else 1)


def _affordable(visits: int, size: int) -> int:
    number = min(MOST, MAX_VISITS // max(visits, 1), MAX_PARAMETERS // max(size, 1))
    return number if number >= FEWEST else 0


class _Draws(NamedTuple):
    """Draws of the parameters, and log-likelihood (draw, U) of each."""

    parameters: Parameters
    likelihood: Any


class _Moments(NamedTuple):
    """Sums over draws of the log-odds of each state, and of their squares."""

    first: Float[Array, "U S"]
    second: Float[Array, "U S"]


def _augment(
    model: AnnotatorModel[Any],
    observations: Observations,
    where: Climb,
    key: Key[Array, ""],
    number: int,
    report: Reporter,
) -> tuple[_Draws, _Moments]:
    counts = where.counts
    zero = jnp.zeros(observations.guess.shape)
    moments = _Moments(zero, zero)
    kept = []
    blocks = -(-(BURN_IN + number) // BLOCK)
    for block in range(blocks):
        before = block * BLOCK - BURN_IN
        counts, moments, draws = _draw_block(
            model,
            observations,
            where.concentration,
            counts,
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


@partial(jax.jit, static_argnames="model")
def _draw_block(
    model: AnnotatorModel[Any],
    observations: Observations,
    concentration: Parameters,
    counts: Parameters,
    moments: _Moments,
    key: Key[Array, ""],
    before: Int[Array, ""] | int,
    number: Int[Array, ""] | int,
) -> tuple[Parameters, _Moments, _Draws]:
    def step(carry: Any, at: Any) -> Any:
        counts, moments = carry
        of_parameters, of_truth = jax.random.split(jax.random.fold_in(key, at))
        logs = {
            name: _log_dirichlet(
                jax.random.fold_in(of_parameters, index), concentration[name] + count
            )
            for index, (name, count) in enumerate(sorted(counts.items()))
        }
        scores = score(model, observations, logs)
        truth = belief(scores)
        counts = expected_counts(model, observations, logs, _one_of(of_truth, truth))
        odds = logit(jnp.clip(truth, SURE, 1 - SURE))
        keep = ((before + at >= 0) & (before + at < number)).astype(odds.dtype)
        moments = _Moments(moments.first + keep * odds, moments.second + keep * odds**2)
        single = {name: jnp.exp(log).astype(jnp.float32) for name, log in logs.items()}
        likelihood = marginal(scores).astype(jnp.float32)
        return (counts, moments), _Draws(single, likelihood)

    (counts, moments), draws = jax.lax.scan(step, (counts, moments), jnp.arange(BLOCK))
    return counts, moments, draws


def _one_of(key: Key[Array, ""], truth: Float[Array, "U S"]) -> Float[Array, "U S"]:
    # One uniform number a unit against the running sum: a tenth of the random numbers
    # that a Gumbel draw of each state would need.
    below = jnp.cumsum(truth, axis=1)
    point = jax.random.uniform(key, (truth.shape[0], 1), truth.dtype) * below[:, -1:]
    slot = (below <= point).sum(1, keepdims=True)
    return (jnp.arange(truth.shape[1]) == slot).astype(truth.dtype)


def _log_dirichlet(
    key: Key[Array, ""], concentration: Float[Array, "*batch L"]
) -> Float[Array, "*batch L"]:
    drawn = jax.random.loggamma(key, concentration)
    return drawn - jax.nn.logsumexp(drawn, axis=-1, keepdims=True)


def _interval(
    moments: _Moments, number: int, mass: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    middle = np.asarray(moments.first) / number
    variance = np.asarray(moments.second) / number - middle**2
    reach = NormalDist().inv_cdf((1 + mass) / 2) * np.sqrt(np.maximum(variance, 0))
    lower, upper = middle - reach, middle + reach
    return 1 / (1 + np.exp(-lower)), 1 / (1 + np.exp(-upper))


def _mean(total: Float[Array, "*batch L"]) -> Float[np.ndarray, "*batch L"]:
    return np.asarray(total / total.sum(-1, keepdims=True))


def _logs(total: Float[Array, "*batch L"]) -> Float[Array, "*batch L"]:
    return digamma(total) - digamma(total.sum(-1, keepdims=True))


def _price(
    prior: Float[Array, "*batch L"],
    total: Float[Array, "*batch L"],
    logs: Float[Array, "*batch L"],
) -> Float[Array, ""]:
    # Kullback-Leibler divergence of Dirichlet(total) from Dirichlet(prior).
    def normaliser(concentration: Float[Array, "*batch L"]) -> Float[Array, "*batch"]:
        return gammaln(concentration.sum(-1)) - gammaln(concentration).sum(-1)

    return (
        normaliser(total) - normaliser(prior) + ((total - prior) * logs).sum(-1)
    ).sum()


RULE = Rule("ELBO", _logs, _price)
