"""The prior of the truth by columns of candidates, for engines that run on the host.

Prevalence and weights of the columns have no closed form; what follows from them is
compiled, in programs that hold no answers and that all models share.
"""

from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from consilience.model.contract import (
    PREVALENCE,
    WEIGHT,
    Model,
    Parameters,
    takes_columns,
)
from consilience.model.program import given
from consilience.model.summed import derived, log_logit
from consilience.truth import Observations, Space, observe


class ColumnPrior:
    """What is known of the candidates of a study, and the prior that it gives."""

    def __init__(self, model: Model[Any], observations: Observations) -> None:
        self.model = model
        self.observations = observations

    def log_prior(self, parameters: Parameters) -> Float[np.ndarray, "U S"]:
        """Return the log prior of the listed states of each unit."""
        logs = {name: parameters[name] for name in (PREVALENCE, WEIGHT)}
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            return np.asarray(_log_prior(self.observations, logs))

    def derived(self, parameters: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters of the whole model."""
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            derived = _derived(self.model, self.observations, dict(parameters))
        return {name: np.asarray(value) for name, value in derived.items()}


def of_columns(model: Model[Any], space: Space) -> ColumnPrior | None:
    """Return the prior by columns; None where there are none, or none are heeded."""
    if not takes_columns(model):
        return None
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        observations = observe(space, tables=False)
    if not observations.has_covariates:
        return None
    return ColumnPrior(model, observations)


@jax.jit
def _log_prior(
    observations: Observations, parameters: Parameters
) -> Float[Array, "U S"]:
    return log_logit(observations, parameters) + observations.log_prior


@partial(jax.jit, static_argnames="model")
def _derived(
    model: Model[Any], observations: Observations, parameters: Parameters
) -> Parameters:
    return derived(given(model, observations, parameters), observations)
