"""A leap along two fixed-point steps of a learned concentration.

The fixed point moves by ever shorter steps in much the same direction. Two of them say
where many would lead (Varadhan and Roland 2008, scheme S3, here in logarithms). The
leap is taken only where the objective of the steps, the Dirichlet-multinomial
probability of the counts and the hyperprior, gains by it, so it is an ascent like them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

from consilience.inference.closed_form.dirichlet import total
from consilience.model import Dirichlet

FARTHEST = 100.0  # steps that a leap may stand for
TINY = 1e-300  # keeps a bend of zero from dividing


def extrapolate(
    prior: Dirichlet,
    counts: Float[np.ndarray, "*batch L"],
    path: Sequence[Float[np.ndarray, "*shared L"]],
) -> Float[np.ndarray, "*shared L"]:
    """Return the concentration a leap away, or the path's end where that is better.

    Parameters
    ----------
    prior
        The prior whose concentration is learned.
    counts
        Expected counts of every vector that shares it.
    path
        Where the concentration was, and after one step and two.
    """
    before, middle, after = path
    first = np.log(middle / before)
    bend = np.log(after / middle) - first
    length, turn = (
        np.linalg.norm(step, axis=-1, keepdims=True) for step in (first, bend)
    )
    size = np.clip(length / np.maximum(turn, TINY), 1.0, FARTHEST)
    with np.errstate(all="ignore"):  # a leap out of bounds gains nothing
        far = before * np.exp(2 * size * first + size**2 * bend)
        evidence = Evidence(prior, counts)
        gains = evidence(far) >= evidence(after)
    return np.where(gains, far, after)


class Evidence:
    """The objective of a learned concentration, of each that is shared.

    The Dirichlet-multinomial log probability of the counts, vectors integrated out, and
    the hyperprior; up to a constant.

    Parameters
    ----------
    prior
        The prior whose concentration is learned.
    counts
        Counts of every vector that shares it.
    """

    def __init__(self, prior: Dirichlet, counts: Float[np.ndarray, "*batch L"]) -> None:
        self.counts, self.sizes = counts, total(counts)[..., None]
        self.start = prior.concentration
        self.number = counts.size // np.size(prior.concentration)
        self.weight = (
            0.0 if prior.hyperprior_weight is None else prior.hyperprior_weight
        )

    def __call__(self, concentration: Any) -> Any:
        """Return it for one concentration (*shared, L): (*shared, 1)."""
        mass = total(concentration)[..., None]
        each = over_shared(gammaln(self.counts + concentration), concentration)
        whole = over_shared(gammaln(self.sizes + mass), mass)
        each -= self.number * gammaln(concentration)
        each += self.weight * (self.start * np.log(concentration) - concentration)
        return total(each)[..., None] - whole + self.number * gammaln(mass)


def over_shared(
    values: Float[np.ndarray, "*batch L"], concentration: Float[np.ndarray, "*shared L"]
) -> Float[np.ndarray, "*shared L"]:
    """Sum over the axes along which vectors share one concentration."""
    leading = values.ndim - concentration.ndim
    summed = values.sum(tuple(range(leading)))
    alike = tuple(
        axis
        for axis in range(concentration.ndim - 1)
        if concentration.shape[axis] < summed.shape[axis]
    )
    return summed.sum(alike, keepdims=True) if alike else summed
