"""Draws from the normal distribution about the mode: Laplace's approximation.

Draws come in pairs on either side of the mode, so that their mean is the mode itself.

References
----------
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
densities. Hammersley and Morton (1956), A new Monte Carlo technique: antithetic
variates.
"""

from typing import Any

import numpy as np

from consilience.inference.gradient_ascent.curvature import curvature, root_of_inverse
from consilience.inference.gradient_ascent.mode import (
    Mode,
    Optimized,
    mode_at,
    slope_about,
)
from consilience.inference.seeds import Seed, generator_of
from consilience.model import AnnotatorModel
from consilience.progress import Progress, Reporter

PHASE = "draws about the mode"


def laplace_draws(
    model: AnnotatorModel[Any],
    summit: Optimized,
    seed: Seed,
    number: int,
    report: Reporter,
) -> list[Mode]:
    """Return so many draws.

    Parameters
    ----------
    model
        A model that was fitted along the gradient.
    summit
        The optimum.
    seed
        Seed of the draws.
    number
        How many.
    report
        Called with the progress made.
    """
    place = np.asarray(summit.position, float)
    every = np.arange(len(place))
    root = root_of_inverse(curvature(slope_about(model, summit), place, every, report))
    noise = generator_of(seed).standard_normal((-(-number // 2), len(place)))
    steps = np.stack([noise, -noise], axis=1).reshape(-1, len(place))[:number]
    draws = []
    for step in steps:
        draws.append(mode_at(model, summit, place + root @ step))
        report(Progress(PHASE, len(draws), number, f"draw {len(draws)} of {number}"))
    return draws
