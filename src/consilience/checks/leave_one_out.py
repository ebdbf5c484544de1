r"""Exact leave-one-response-out: how well a model predicts each answer from the others.

Given the parameters, :math:`p(y_r \mid y_{i,-r}, \theta)` is the likelihood of item i
with the answer over that without it, the truth summed out: exact. Over the parameters,

.. math::

   \frac{1}{p(y_r \mid y_{-r})}
   = \mathrm{E}\Big[\frac{1}{p(y_r \mid y_{i,-r}, \theta)} \Big| y\Big],

estimated from posterior draws by importance sampling with truncated weights. It scores
models without gold labels: one that knows who confuses what predicts better.

References
----------
Gelfand, Dey and Chang (1992), Model determination using predictive distributions.
Ionides (2008), Truncated importance sampling.
Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation, section 2.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from consilience.checks.dependence.residuals import Copied, most_alike
from consilience.model import (
    HostModel,
    Model,
    logarithms,
    thin,
)
from consilience.truth import ContainsSpace, Space

MAX_SCORED = 50_000_000  # answers x draws held at once (float32: 200 MB)
# The mean over so many answers x draws has far less error from the draws than from the
# answers; of every answer, this many draws are scored at least.
ENOUGH, MIN_DRAWS = 300_000, 30


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """What a model makes of each answer, from all others."""

    elpd: Float[np.ndarray, " N"]
    effective: Float[np.ndarray, " N"]
    copied: Copied | None = None


def leave_one_response_out(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
) -> LeaveOneOut | None:
    """Score every answer by the others."""
    if not parameters:
        return None
    number = math.prod(next(iter(parameters.values())).shape[:2])
    answers = max(len(space.unit), 1)
    most = max(min(max(ENOUGH // answers, MIN_DRAWS), MAX_SCORED // answers), 2)
    if model.whole_items and not model.of_classes:
        return _of_trait(model, space, parameters, most)
    if not model.on_host or number < 2:
        return None
    tables = HostModel(model, space)
    responses = space.unit, space.annotator, space.answer
    scored = [
        tables.given_the_others(logarithms(values, tables.closed), responses).astype(
            np.float32
        )
        for values in thin(parameters, most)
    ]
    return _weighted(np.stack(scored))


def _of_trait(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    most: int,
) -> LeaveOneOut | None:
    """Score answers by the trait of their pair of item and label, summed out."""
    from consilience.contains.left_out import predicted  # noqa: PLC0415 (loads JAX)

    if not isinstance(space, ContainsSpace):
        return None
    each = list(predicted(model, space, parameters, most))
    scored = np.log(np.stack([one.likelihood for one in each])).astype(np.float32)
    residual = np.mean([one.residual for one in each], 0)
    return replace(_weighted(scored), copied=most_alike(space, residual))


def _weighted(scored: Float[np.ndarray, "D N"]) -> LeaveOneOut:
    # Relative to the least probable draw of each answer, which has the largest weight.
    least = scored.min(0)
    weight = np.exp(least - scored)
    # The largest weight is held to the mean times the root of the number of draws.
    np.minimum(weight, weight.mean(0) * np.sqrt(len(scored)), out=weight)
    total = weight.sum(0)
    mean = np.einsum("dn,dn->n", weight, np.exp(scored - least)) / total
    effective = total**2 / np.einsum("dn,dn->n", weight, weight)
    return LeaveOneOut((np.log(mean) + least).astype(float), effective.astype(float))
