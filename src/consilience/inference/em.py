"""EM: the parameters' most probable values, and the truth given them.

Most probable in log-odds (the softmax basis; MacKay 1998, Choice of basis for Laplace
approximation), where the estimate is (counts + concentration) / total: defined for any
concentration, and maximum likelihood as it goes to zero.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, Key

from consilience.inference.ascent import Rule, Steps, climb, logs_and_belief, point
from consilience.inference.progress import Reporter, silent
from consilience.inference.result import Result
from consilience.model import AnnotatorModel, lay_out
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
        A model with Dirichlet priors.
    space
        What can be true, and the answers.
    key
        Random key of the restarts.
    effort
        How hard to climb.
    report
        Called with the progress made.
    """
    observations = lay_out(model, space)
    where, how = climb(model, observations, RULE, effort.steps, key, report)
    _, truth, likelihood = logs_and_belief(model, observations, RULE, where)
    unknown = np.broadcast_to(np.nan, truth.shape)
    return Result(
        parameters={
            name: np.asarray(value)[None, None]
            for name, value in point(model, observations, where).items()
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
