"""Draws about the mode: Laplace's approximation, corrected by importance weights.

Places are proposed by the normal distribution that has the curvature of the density at
its mode. Each has the weight of its density over that of the proposal, and draws are
picked by these weights. Where numbers are well known, weights are nearly alike; where a
density is skewed, as that of the logarithm of a weight which may as well be nothing,
the proposals on the wrong side drop out. Rounds of proposals go on until the weights
count for as many draws as are asked for, or there were enough rounds.

References
----------
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
densities. Rubin (1988), Using the SIR algorithm to simulate posterior distributions.
Ionides (2008), Truncated importance sampling.
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import special

from consilience.inference.gradient_ascent.curvature import curvature, root_of_inverse
from consilience.inference.gradient_ascent.mode import (
    Mode,
    Optimized,
    energy_and_slope,
    mode_at,
    no_evidence,
    slope_about,
)
from consilience.inference.options import Seed, generator_of
from consilience.model import Model
from consilience.progress import Progress, Reporter

PHASE = "draws about the mode"
ROUNDS = 30  # of as many proposals as draws


def laplace_draws(
    model: Model[Any],
    summit: Optimized,
    seed: Seed,
    number: int,
    report: Reporter,
) -> tuple[list[Mode], float]:
    """Return so many draws, and how many independent ones they equal."""
    place = np.asarray(summit.position, float)
    every = np.arange(len(place))
    root = root_of_inverse(curvature(slope_about(model, summit), place, every, report))
    generator, none = generator_of(seed), no_evidence(summit.data)
    noises = np.zeros((0, len(place)))
    logs = np.zeros(0)
    weight, effective = logs, 0.0
    for tried in range(ROUNDS):
        noise = generator.standard_normal((number, len(place)))
        energies = [
            energy_and_slope(
                model,
                summit.data,
                none,
                summit.unravel(jnp.asarray(place + root @ each)),
            )[0]
            for each in noise
        ]
        noises = np.concatenate([noises, noise])
        logs = np.append(logs, (noise**2).sum(1) / 2 - np.array(energies, float))
        weight = _truncated(np.where(np.isfinite(logs), logs, -np.inf))
        effective = float(1 / (weight**2).sum())
        note = f"{effective:,.0f} of {number} draws"
        report(Progress(PHASE, tried + 1, ROUNDS, note))
        if effective >= number:
            break
    report(Progress(PHASE, ROUNDS, ROUNDS, f"{effective:,.0f} draws"))
    # Systematic resampling: as often as their weight says, to within one.
    steps = (np.arange(number) + generator.random()) / number
    picked = np.searchsorted(weight.cumsum(), steps * weight.sum())
    picked = np.minimum(picked, len(weight) - 1)
    modes = {
        at: mode_at(model, summit, place + root @ noises[at]) for at in set(picked)
    }
    return [modes[at] for at in picked], effective


def _truncated(logs: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return weights that sum to one, none larger than so many times their mean."""
    logs = np.minimum(logs - special.logsumexp(logs), -math.log(len(logs)) / 2)
    truncated: Float[np.ndarray, " N"] = special.softmax(logs)
    return truncated
