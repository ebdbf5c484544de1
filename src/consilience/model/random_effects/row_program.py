"""Effects of annotators on confusion rows as a NumPyro program."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax

from consilience.model.contract import PREVALENCE, Coding, Parameters
from consilience.model.random_effects.row_effects import (
    DIFFICULTY,
    TYPICAL,
    RowEffects,
)


def sample_row_effects(coding: Coding, effects: RowEffects) -> Parameters:
    """Sample prevalence, annotators and how much items differ."""
    annotators, (states, free) = coding.num_annotators, effects.centre.shape
    prevalence = numpyro.sample(
        PREVALENCE, dist.Dirichlet(jnp.asarray(effects.prevalence))
    )
    groups, group = effects.num_groups, effects.group
    centre = dist.Normal(effects.centre, effects.population).expand(
        (groups, states, free)
    )
    mean = numpyro.sample("population", centre.to_event(3))[group]
    half = dist.HalfNormal(jnp.full((groups, states), effects.spread))
    spread = numpyro.sample("spread", half.to_event(2))[group]
    for effect in effects.effects:
        of_group = dist.HalfNormal(jnp.full(groups, effect.scale)).to_event(1)
        deviation = numpyro.sample(f"{effect.name}_spread", of_group)[group]
        numbers = effect.direction.shape[-1]
        standard = dist.Normal(jnp.zeros((annotators, numbers)), 1.0)
        values = numpyro.sample(effect.name, standard.to_event(2))
        mean = mean + jnp.einsum("j,kfp,jp->jkf", deviation, effect.direction, values)
    left = dist.Normal(jnp.zeros((annotators, states, free)), 1.0)
    distance = numpyro.sample("distance", left.to_event(3))
    difficulty = jnp.zeros(())
    if effects.difficulty:
        half_normal = dist.HalfNormal(effects.difficulty)
        difficulty = numpyro.sample(DIFFICULTY, half_normal)
    rows = mean + spread[:, :, None] * distance
    typical = log_softmax(rows @ effects.basis.T)
    numpyro.deterministic(TYPICAL, jnp.exp(typical))
    return {
        PREVALENCE: jnp.log(prevalence),
        TYPICAL: typical,
        DIFFICULTY: difficulty,
    }
