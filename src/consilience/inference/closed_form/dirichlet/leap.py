"""A leap along two fixed-point steps of a learned concentration.

The fixed point moves by ever shorter steps in much the same direction. Two of them say
where many would lead (Varadhan and Roland 2008, scheme S3, here in logarithms). The
leap is taken only where the objective of the steps, the Dirichlet-multinomial
probability of the counts and the hyperprior, gains by it, so it is an ascent like them.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.inference.closed_form.dirichlet.expectations import total
from consilience.model import Dirichlet
from consilience.when_used import special

FARTHEST = 100.0  # steps that a leap may stand for
TINY = 1e-300  # keeps a bend of zero from dividing


def extrapolate(
    prior: Dirichlet,
    counts: Float[np.ndarray, "*batch L"],
    path: Sequence[Float[np.ndarray, "*shared L"]],
) -> Float[np.ndarray, "*shared L"]:
    """Return the concentration a leap away, or the path's end where that is better."""
    before, middle, after = path
    with np.errstate(all="ignore"):  # a leap out of bounds gains nothing
        first = np.log(middle / before)
        bend = np.log(after / middle) - first
        length, turn = (
            np.linalg.norm(step, axis=-1, keepdims=True) for step in (first, bend)
        )
        size = np.clip(length / np.maximum(turn, TINY), 1.0, FARTHEST)
        far = before * np.exp(2 * size * first + size**2 * bend)
        evidence = Evidence(prior, counts)
        gains = evidence(far) >= evidence(after)
    return np.where(gains, far, after)


class Evidence:
    """The objective of a learned concentration, of each that is shared.

    The Dirichlet-multinomial log probability of the counts, vectors integrated out, and
    the hyperprior; up to a constant.
    """

    def __init__(self, prior: Dirichlet, counts: Float[np.ndarray, "*batch L"]) -> None:
        self.start = np.asarray(prior.concentration, float)
        self.weight = (
            0.0 if prior.hyperprior_weight is None else prior.hyperprior_weight
        )
        shared = self.start.shape
        self._of_each = log_rising(counts, shared)
        self._of_total = log_rising(total(counts)[..., None], (*shared[:-1], 1))

    def __call__(self, concentration: Any) -> Any:
        """Return it for one concentration (*shared, L): (*shared, 1)."""
        terms = self._of_each(concentration)
        terms += self.weight * (self.start * np.log(concentration) - concentration)
        return total(terms)[..., None] - self._of_total(total(concentration)[..., None])


def log_rising(
    counts: Float[np.ndarray, "*batch L"], shared: tuple[int, ...]
) -> Callable[[Any], Any]:
    r"""Return what sums log(gamma(count + a) / gamma(a)) over counts that share an a.

    Whole counts n are summed as :math:`\sum_m t_m \log(a + m)`, where :math:`t_m` is
    how many of them exceed m: no work then grows with the number of vectors.
    """
    cells = math.prod(shared)
    length = int(counts.max(initial=0)) + 1
    if length * cells > counts.size or (counts != np.rint(counts)).any():
        number = counts.size // cells
        return lambda a: (
            over_shared(special.gammaln(counts + a), a) - number * special.gammaln(a)
        )
    cell = np.broadcast_to(np.arange(cells).reshape(shared), counts.shape)
    place = (counts * cells + cell).astype(np.int64).ravel()
    histogram = np.bincount(place, minlength=length * cells).reshape(length, *shared)
    exceeding = np.cumsum(histogram[:0:-1], 0)[::-1].astype(float)
    more = np.arange(length - 1.0).reshape(-1, *(1 for _ in shared))
    return lambda a: np.einsum("m...,m...->...", exceeding, np.log(a + more))


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
