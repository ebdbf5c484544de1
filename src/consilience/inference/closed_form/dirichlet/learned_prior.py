"""Concentrations of Dirichlet priors, learned from the counts of all who share one.

A fixed-point step for the Dirichlet-multinomial (Minka 2000, equation 55), with a Gamma
hyperprior whose mode is the start, and a leap on from two of them. Each is an ascent.
"""

import numpy as np
from jaxtyping import Float

from consilience.inference.closed_form.dirichlet.expectations import total
from consilience.inference.closed_form.dirichlet.leap import extrapolate, over_shared
from consilience.model import Dirichlet
from consilience.when_used import special

FIXED_POINT_STEPS = 2  # a sweep; a leap goes on from them


def hyperprior(
    prior: Dirichlet, concentration: Float[np.ndarray, "*shared L"]
) -> float:
    """Return the log density of a learned concentration, up to a constant."""
    if prior.hyperprior_weight is None:
        return 0.0
    start = prior.concentration
    return float(
        prior.hyperprior_weight * (start * np.log(concentration) - concentration).sum()
    )


def learn(
    prior: Dirichlet,
    concentration: Float[np.ndarray, "*shared L"],
    counts: Float[np.ndarray, "*batch L"],
) -> Float[np.ndarray, "*shared L"]:
    """Return the concentration further up, where it is learned."""
    if prior.hyperprior_weight is None:
        return concentration
    learned = concentration
    path = [concentration]
    number, sizes = counts.size // concentration.size, total(counts)[..., None]
    for _ in range(FIXED_POINT_STEPS):
        mass = total(learned)[..., None]
        gain = over_shared(special.digamma(counts + learned), learned)
        gain -= number * special.digamma(learned)
        cost = over_shared(
            special.digamma(sizes + mass), mass
        ) - number * special.digamma(mass)
        learned = (learned * gain + prior.hyperprior_weight * prior.concentration) / (
            cost + prior.hyperprior_weight
        )
        path.append(learned)
    return extrapolate(prior, counts, path)
