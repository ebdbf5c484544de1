"""EM of models without closed forms: gradient ascent, and its draws."""

from typing import Any

import jax
import numpy as np

from consilience.inference.closed_form.ascent import Steps
from consilience.inference.gradient_ascent.laplace import laplace_draws
from consilience.inference.gradient_ascent.mode import Mode
from consilience.inference.gradient_ascent.optimize import ascend
from consilience.inference.gradient_ascent.posterior_bootstrap import (
    posterior_bootstrap,
)
from consilience.inference.options import Seed, key_of
from consilience.inference.result import (
    MAX_KEPT,
    Optimization,
    Result,
    at_a_point,
    of_draws,
)
from consilience.model import Model
from consilience.progress import Reporter
from consilience.truth import Space

# Items to a number: the items' scores, which draws vary by, vary less than they would
# where the numbers were not fitted to them, by as many of them as there are numbers.
# Judgement: with three to a number, .84 of discriminations were held, not .90.
ENOUGH = 10
LAPLACE = (
    "intervals are from the normal distribution about the mode (Laplace's "
    "approximation), corrected by importance weights: as exact as {number:,.0f} "
    "independent draws"
)


def fit_by_gradient(
    model: Model[Any],
    space: Space,
    steps: Steps,
    seed: Seed,
    draws: int,
    prob: float,
    report: Reporter,
) -> Result:
    """Optimize, and take draws by the posterior bootstrap on request.

    Where items are not independent given the parameters, there is nothing to weigh
    anew, and draws are those of Laplace's approximation.
    """
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        key = key_of(seed)
        peak, how, summit = ascend(model, space, steps, key, report)
        if not draws:
            parameters, truth, likelihood = (
                {name: np.asarray(value) for name, value in peak.parameters.items()},
                np.asarray(peak.belief),
                np.asarray(peak.log_likelihood),
            )
            return at_a_point(
                parameters,
                truth,
                likelihood,
                how,
                ("em gives point estimates, without uncertainty of the parameters",),
            )
        if model.of_classes:
            modes, effective = laplace_draws(model, summit, seed, draws, report)
            return _of_draws(modes, how, prob, (LAPLACE.format(number=effective),))
        item = np.unique(space.unit_item.astype(str), return_inverse=True)[1]
        drawn = posterior_bootstrap(model, summit, item, steps, key, draws, report)
        remarks = _of_bootstrap(int(item.max()) + 1, len(summit.position))
        return _of_draws(list(drawn), how, prob, remarks)


def _of_bootstrap(items: int, numbers: int) -> tuple[str, ...]:
    """Return what draws of the posterior bootstrap assume."""
    remark = "intervals are from the posterior bootstrap over items"
    if items >= ENOUGH * numbers:
        return (remark,)
    narrow = (
        f"they tend to be narrow: {items} items for {numbers} numbers, where {ENOUGH} "
        "to each would do; nuts draws exactly"
    )
    return (remark, narrow)


def _of_draws(
    draws: list[Mode], how: Optimization, prob: float, remarks: tuple[str, ...]
) -> Result:
    kept = len(draws) * len(draws[0].belief) <= MAX_KEPT
    likelihood = np.stack([np.asarray(draw.log_likelihood) for draw in draws])[None]
    return of_draws(
        {
            name: np.stack([np.asarray(draw.parameters[name]) for draw in draws])[None]
            for name in draws[0].parameters
        },
        np.stack([np.asarray(draw.belief, np.float32) for draw in draws])[None],
        likelihood if kept else None,
        prob,
        how,
        remarks,
    )
