"""Effects of annotators on confusion rows as a NumPyro program."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax

from consilience.model.contract import Coding, Parameters
from consilience.model.names import PREVALENCE
from consilience.model.random_effects.row_effects import (
    DIFFICULTY,
    TYPICAL,
    RowEffects,
)


def sample_row_effects(coding: Coding, effects: RowEffects) -> Parameters:
    """Sample prevalence, annotators and how much items differ.

    Parameters
    ----------
    coding
        Says how many annotators there are.
    effects
        What moves their rows.
    """
    annotators, (states, free) = coding.num_annotators, effects.centre.shape
    prevalence = numpyro.sample(
        PREVALENCE, dist.Dirichlet(jnp.asarray(effects.prevalence))
    )
    centre = dist.Normal(effects.centre, effects.population)
    mean = numpyro.sample("population", centre.to_event(2))
    spread = numpyro.sample(
        "spread", dist.HalfNormal(jnp.full(states, effects.spread)).to_event(1)
    )
    for effect in effects.effects:
        deviation = numpyro.sample(
            f"{effect.name}_spread", dist.HalfNormal(effect.scale)
        )
        numbers = effect.direction.shape[-1]
        standard = dist.Normal(jnp.zeros((annotators, numbers)), 1.0)
        values = numpyro.sample(effect.name, standard.to_event(2))
        mean = mean + deviation * jnp.einsum("kfp,jp->jkf", effect.direction, values)
    left = dist.Normal(jnp.zeros((annotators, states, free)), 1.0)
    distance = numpyro.sample("distance", left.to_event(3))
    difficulty = numpyro.sample(DIFFICULTY, dist.HalfNormal(effects.difficulty))
    rows = mean + spread[:, None] * distance
    typical = log_softmax(rows @ effects.basis.T)
    numpyro.deterministic(TYPICAL, jnp.exp(typical))
    return {
        PREVALENCE: jnp.log(prevalence),
        TYPICAL: typical,
        DIFFICULTY: difficulty,
    }
