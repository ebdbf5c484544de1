r"""Exact leave-one-response-out: how well a model foresees each answer from the others.

Given the parameters, :math:`p(y_r \mid y_{i,-r}, \theta)` is the likelihood of item i
with the answer over that without it, the truth summed out: exact. Over the parameters,

.. math::

   \frac{1}{p(y_r \mid y_{-r})}
   = \mathrm{E}\Big[\frac{1}{p(y_r \mid y_{i,-r}, \theta)} \Big| y\Big],

estimated from posterior draws by importance sampling with truncated weights. It scores
models without gold labels: one that knows who confuses what foresees more.

References
----------
Gelfand, Dey and Chang (1992), Model determination using predictive distributions.
Ionides (2008), Truncated importance sampling.
Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import logsumexp

from consilience.model import AnnotatorModel, given_the_others, has_table
from consilience.model.layout import lay_out
from consilience.truth import Space

MAX_SCORED = 50_000_000  # answers x draws held at once (float32: 200 MB)
TINY = 1e-300  # of a probability drawn from a Dirichlet


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a model makes of each answer, from all others.

    Attributes
    ----------
    elpd
        log p(answer | all others), in nats, for each row of the responses.
    effective
        How many independent draws the weights of each row are worth.
    """

    elpd: Float[np.ndarray, " N"]
    effective: Float[np.ndarray, " N"]


def leave_one_response_out(
    model: AnnotatorModel[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
) -> Foreseen | None:
    """Score every answer by the others.

    Parameters
    ----------
    model
        Who was fitted.
    space
        What could be true, and the answers.
    parameters
        Posterior draws of the parameters, by name.

    Returns
    -------
    The scores; None where there are no draws, or answers do not come from tables.
    """
    observations = lay_out(model, space)
    if not has_table(model, observations) or model.dirichlet is None:
        return None
    names = list(model.dirichlet(observations, model.prior))
    flat = {name: _flat(parameters[name]) for name in names}
    number = len(next(iter(flat.values())))
    if number < 2:
        return None
    most = max(MAX_SCORED // max(len(space.unit), 1), 2)
    chosen = np.unique(np.linspace(0, number - 1, min(number, most)).astype(int))
    codes = (space.unit, space.annotator, space.answer)
    unit, annotator, answer = map(jnp.asarray, codes)
    scored = np.empty((len(chosen), len(space.unit)), np.float32)
    for row, draw in zip(scored, chosen, strict=True):
        logs = {
            name: jnp.log(jnp.maximum(jnp.asarray(values[draw], float), TINY))
            for name, values in flat.items()
        }
        row[:] = given_the_others(model, observations, logs, unit, annotator, answer)
    return _weighted(scored)


def _flat(values: Shaped[np.ndarray, "chain draw ..."]) -> Shaped[np.ndarray, "D ..."]:
    return values.reshape(-1, *values.shape[2:])


def _weighted(scored: Float[np.ndarray, "D N"]) -> Foreseen:
    draws = len(scored)
    log_weight = -scored
    # The largest weight is held to the mean times the root of the number of draws.
    most = logsumexp(log_weight, axis=0) - 0.5 * np.log(draws)
    log_weight = np.minimum(log_weight, most)
    total = logsumexp(log_weight, axis=0)
    elpd = logsumexp(log_weight + scored, axis=0) - total
    effective = np.exp(2 * total - logsumexp(2 * log_weight, axis=0))
    return Foreseen(elpd.astype(float), effective.astype(float))
