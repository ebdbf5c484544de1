"""Variational Bayes: coordinate ascent on the evidence lower bound, then draws.

The variational posterior is too sure of the truth, since it takes the parameters for
better known than they are, and of the parameters wherever the truth is uncertain, since
it takes the truth's posterior for settled. So what is reported comes from data
augmentation, which draws from the exact posterior: the probability of a label is its
mean over the draws, its interval that of its log-odds. Without draws the variational
posterior of the truth is all there is.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.scipy.special import digamma, gammaln
from jaxtyping import Array, Float, Key

from consilience.inference.ascent import Rule, Steps, climb, logs_and_belief, point
from consilience.inference.augmentation import augment, interval, mean_belief
from consilience.inference.result import MAX_KEPT, Result
from consilience.model import AnnotatorModel, lay_out, splits
from consilience.progress import Reporter, silent
from consilience.truth import Space

FEWEST, MOST = 20, 200  # draws; fewer give no interval worth printing
# Answers x states that all draws together may visit unasked: some seconds on two cores.
MAX_VISITS = 100_000_000
MAX_PARAMETERS = 20_000_000  # numbers in all draws together (float32: 80 MB)
MAX_STARTED = 10_000_000  # answers x states that all starts together may visit
STARTS, FINER_STARTS = 5, 40  # at most; more where the model has finer states


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to climb, and how many draws to take.

    Attributes
    ----------
    steps
        When to stop climbing. None: five starts, forty where the model has finer
        states, and fewer where answers are many.
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
    observations = lay_out(model, space)
    steps = effort.steps or default_steps(model, space)
    where, how = climb(model, observations, RULE, steps, first, report)
    _, believed, likelihood = logs_and_belief(model, observations, RULE, where)
    truth = np.asarray(believed)
    told = jax.eval_shape(partial(point, model), observations, where)
    size = sum(value.size for value in told.values())
    visits = len(space.unit) * space.state.shape[1]
    number = _affordable(visits, size) if effort.draws is None else effort.draws
    held = (f"vb holds at a point: {', '.join(where.free)}",) if where.free else ()
    if number == 0:
        remark = (
            "too many answers to draw intervals unasked; `draws=` asks for them"
            if effort.draws is None
            else "no draws were asked for, so there are no intervals"
        )
        return Result(
            parameters={
                name: np.asarray(value)[None, None]
                for name, value in point(model, observations, where).items()
            },
            belief=truth,
            lower=np.broadcast_to(np.nan, truth.shape),
            upper=np.broadcast_to(np.nan, truth.shape),
            log_likelihood=np.asarray(likelihood)[None, None],
            sample_stats={},
            optimization=how,
            remarks=(*held, remark),
        )
    draws, moments = augment(
        model, observations, where, believed, second, number, report
    )
    lower, upper = interval(moments, number, effort.mass)
    truth = mean_belief(moments, number)
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
        remarks=held,
    )


def default_steps(model: AnnotatorModel[Any], space: Space) -> Steps:
    """Return when to stop: after as many starts as take some seconds.

    Units are dealt to the finer states of a model at random, and there are more optima.
    """
    split = splits(model)
    visits = max(len(space.unit) * space.state.shape[1] * split, 1)
    most = STARTS if split == 1 else FINER_STARTS
    return Steps(restarts=int(np.clip(MAX_STARTED // visits, 1, most)))


def _affordable(visits: int, size: int) -> int:
    number = min(MOST, MAX_VISITS // max(visits, 1), MAX_PARAMETERS // max(size, 1))
    return number if number >= FEWEST else 0


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
