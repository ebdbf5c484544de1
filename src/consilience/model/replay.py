"""Restore the parameters of a model from the draws of a result."""

from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
from jaxtyping import Array, Shaped
from numpyro.handlers import seed, substitute

from consilience.model.contract import (
    AnnotatorModel,
    ClosedFormModel,
    Parameters,
    SampledModel,
)
from consilience.model.draws import TINY
from consilience.model.names import WEIGHT
from consilience.model.program import sample_parameters
from consilience.truth import Observations


def can_restore_parameters(
    model: AnnotatorModel[Any], observations: Observations, names: Collection[str]
) -> bool:
    """Return whether parameters of some names say all that the emission wants.

    They do not where a program samples coordinates that the data prepared.
    """
    if isinstance(model, ClosedFormModel):
        closed = set(model.priors(observations))
        return bool(closed) and closed <= set(names)
    return isinstance(model, SampledModel) and not model.follows_data


def parameters_from_draw(
    model: AnnotatorModel[Any],
    observations: Observations,
    values: Mapping[str, Shaped[np.ndarray | Array, "..."]],
) -> Parameters:
    """Return parameters as the emission wants them, from one reported draw.

    Closed forms want the logarithms of what they report; a program is run again with
    what it had sampled.
    """
    if isinstance(model, ClosedFormModel):
        closed = model.priors(observations)
        if closed and closed.keys() <= values.keys():
            free = {*model.normals(observations)}
            if observations.has_covariates:
                free.add(WEIGHT)
            logs = {name: jnp.log(jnp.maximum(values[name], TINY)) for name in closed}
            return {**logs, **{name: jnp.asarray(values[name]) for name in free}}
    drawn = {name: jnp.asarray(value) for name, value in values.items()}
    program = seed(substitute(sample_parameters, data=drawn), jax.random.key(0))
    parameters: Parameters = program(model, observations)
    return parameters
