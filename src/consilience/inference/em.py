"""EM: the parameters' most probable values, and the truth given them.

Most probable in log-odds (the softmax basis; MacKay 1998, Choice of basis for Laplace
approximation), where the estimate is (counts + concentration) / total: defined for any
concentration, and maximum likelihood as it goes to zero. Models with Dirichlet priors
climb in closed form, all others along the gradient, to a mode of the same density; of
these it takes draws by the posterior bootstrap, where they are asked for.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Key

from consilience.inference.ascent import Rule, Steps, climb, logs_and_belief, point
from consilience.inference.gradient import Peak, ascend
from consilience.inference.posterior_bootstrap import posterior_bootstrap
from consilience.inference.result import MAX_KEPT, Optimization, Result
from consilience.intervals import bounds
from consilience.model import AnnotatorModel, Parameters, lay_out
from consilience.progress import Reporter, silent
from consilience.truth import Space

# Items to a number: the items' scores, which draws vary by, vary less than they would
# where the numbers were not fitted to them, by as many of them as there are numbers.
# Judgement: with three to a number, .84 of discriminations were held, not .90.
ENOUGH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to climb.

    Attributes
    ----------
    steps
        When to stop.
    draws
        Draws of the posterior bootstrap, for models without closed forms; each takes a
        climb of its own, a short one.
    mass
        Probability that an interval holds.
    """

    steps: Steps = field(default_factory=Steps)
    draws: int = 0
    mass: float = 0.9


def fit(
    model: AnnotatorModel[Any],
    space: Space,
    key: Key[Array, ""],
    effort: Effort,
    report: Reporter = silent,
) -> Result:
    """Fit by EM.

    Parameters
    ----------
    model
        Any model.
    space
        What can be true, and the answers.
    key
        Random key of the restarts.
    effort
        How hard to climb.
    report
        Called with the progress made.
    """
    if model.dirichlet is None:
        peak, how, summit = ascend(model, space, effort.steps, key, report)
        if not effort.draws or model.prepare is not None:
            return _result(*peak, how)
        item = np.unique(space.unit_item.astype(str), return_inverse=True)[1]
        draws = posterior_bootstrap(
            model, summit, item, effort.steps, key, effort.draws, report
        )
        remarks = _of_bootstrap(int(item.max()) + 1, len(summit.position))
        return _of_draws(list(draws), how, effort.mass, remarks)
    observations = lay_out(model, space)
    where, how = climb(model, observations, RULE, effort.steps, key, report)
    _, truth, likelihood = logs_and_belief(model, observations, RULE, where)
    return _result(point(model, observations, where), truth, likelihood, how)


def _result(
    parameters: Parameters,
    truth: Float[Array, "U S"],
    likelihood: Float[Array, " U"],
    how: Optimization,
) -> Result:
    unknown = np.broadcast_to(np.nan, truth.shape)
    return Result(
        parameters={
            name: np.asarray(value)[None, None] for name, value in parameters.items()
        },
        belief=np.asarray(truth),
        lower=unknown,
        upper=unknown,
        log_likelihood=np.asarray(likelihood)[None, None],
        sample_stats={},
        optimization=how,
        remarks=("em gives a point: it says nothing of uncertainty in the parameters",),
    )


def _of_bootstrap(items: int, numbers: int) -> tuple[str, ...]:
    """Return what draws of the posterior bootstrap assume."""
    remark = "intervals are of the posterior bootstrap, items weighed anew"
    if items >= ENOUGH * numbers:
        return (remark,)
    narrow = (
        f"they tend to be narrow: {items} items for {numbers} numbers, where {ENOUGH} "
        "to each would do; nuts draws exactly"
    )
    return (remark, narrow)


def _of_draws(
    draws: list[Peak], how: Optimization, mass: float, remarks: tuple[str, ...]
) -> Result:
    beliefs = np.stack([np.asarray(draw.belief, np.float32) for draw in draws])
    belief = beliefs.mean(0, dtype=float)
    lower, upper = np.full(belief.shape, np.nan), np.full(belief.shape, np.nan)
    if len(draws) > 1:
        lower, upper = bounds(beliefs, mass)
    kept = len(draws) * len(belief) <= MAX_KEPT
    return Result(
        parameters={
            name: np.stack([np.asarray(draw.parameters[name]) for draw in draws])[None]
            for name in draws[0].parameters
        },
        belief=belief,
        lower=np.minimum(lower, belief),
        upper=np.maximum(upper, belief),
        log_likelihood=(
            np.stack([np.asarray(draw.log_likelihood) for draw in draws])[None]
            if kept
            else None
        ),
        sample_stats={},
        optimization=how,
        remarks=remarks,
    )


def _logs(total: Float[Array, "*batch L"]) -> Float[Array, "*batch L"]:
    return jnp.log(total) - jnp.log(total.sum(-1, keepdims=True))


def _price(
    prior: Float[Array, "*batch L"],
    total: Float[Array, "*batch L"],
    logs: Float[Array, "*batch L"],
) -> Float[Array, ""]:
    del total
    normaliser = gammaln(prior.sum(-1)) - gammaln(prior).sum(-1)
    return -(normaliser + (prior * logs).sum(-1)).sum()


RULE = Rule("penalised log-likelihood", _logs, _price)
