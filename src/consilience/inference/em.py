"""EM: the parameters' most probable values, and the truth given them.

Most probable in log-odds (the softmax basis; MacKay 1998, Choice of basis for Laplace
approximation), where the estimate is (counts + concentration) / total: defined for any
concentration, and maximum likelihood as it goes to zero. Models with Dirichlet priors
climb in closed form, all others along the gradient, to a mode of the same density.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Key

from consilience.inference.ascent import Rule, Steps, climb, logs_and_belief, point
from consilience.inference.gradient import ascend
from consilience.inference.result import Optimization, Result
from consilience.model import AnnotatorModel, Parameters, lay_out
from consilience.progress import Reporter, silent
from consilience.truth import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to climb."""

    steps: Steps = field(default_factory=Steps)


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
        peak, how = ascend(model, space, effort.steps, key, report)
        return _result(*peak, how)
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
