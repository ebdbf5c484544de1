"""Steps of prevalence and the weights of columns, compiled once for all models.

They take what the answers say of the truth, and no answers: `logit_step` climbs,
`logit_draws` draws.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from consilience.inference.closed_form.prevalence.logit_draws import (
    Walk,
    draw_logit,
    walk,
)
from consilience.inference.closed_form.prevalence.logit_step import (
    LogitCounts,
    first_logit,
    log_density,
    logit_counts,
    logit_step,
)
from consilience.inference.closed_form.sweeps import Sweeps
from consilience.model import Parameters, imagined_units
from consilience.model.truth_prior.on_host import ColumnPrior
from consilience.truth import Observations


def first(sweeps: Sweeps) -> Parameters:
    """Return the start: prevalence as in the prior, columns unused."""
    imagined = imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        return _on_host(first_logit(sweeps.columns.observations, jnp.asarray(imagined)))


def step(
    sweeps: Sweeps, logit: Parameters, truth: Float[np.ndarray, "U S"]
) -> tuple[Parameters, float]:
    """Return prevalence and weights one step up, and their log density before."""
    imagined = imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        ended, density = _step(
            sweeps.columns.observations, imagined, dict(logit), truth
        )
        return _on_host(ended), float(density)


class Chain(NamedTuple):
    """How prevalence and weights are drawn: what does not change between draws."""

    columns: ColumnPrior
    imagined: Float[np.ndarray, " K"]
    walk: Walk
    key: Key[Array, ""]


def chain(sweeps: Sweeps, logit: Parameters, generator: np.random.Generator) -> Chain:
    """Return how to draw prevalence and weights, starting from the optimum."""
    columns, imagined = sweeps.columns, imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        how = _walk(columns.observations, imagined, dict(logit))
        key = jax.random.key(int(generator.integers(2**32)))
    return Chain(columns, imagined, how, key)


def draw(
    how: Chain, number: int, logit: Parameters, truth: Float[np.ndarray, "U S"]
) -> Parameters:
    """Draw prevalence and weights, given the truth."""
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        drawn = _draw(
            jax.random.fold_in(how.key, number),
            how.columns.observations,
            how.imagined,
            dict(logit),
            truth,
            how.walk,
        )
        return _on_host(drawn)


def _on_host(logit: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
    return {name: np.asarray(value) for name, value in logit.items()}


@jax.jit
def _step(
    observations: Observations,
    imagined: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> tuple[Parameters, Float[Array, ""]]:
    ended = logit_step(observations, imagined, logit, truth)
    return ended, log_density(imagined, logit)


@jax.jit
def _walk(
    observations: Observations, imagined: Float[Array, " K"], logit: Parameters
) -> Walk:
    return walk(observations, imagined, logit)


@jax.jit
def _draw(
    key: Key[Array, ""],
    observations: Observations,
    imagined: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
    how: Walk,
) -> Parameters:
    counts: LogitCounts = logit_counts(observations, truth)
    return draw_logit(key, observations, imagined, logit, counts, how)
