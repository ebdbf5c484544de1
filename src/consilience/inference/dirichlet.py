"""Arithmetic of Dirichlet distributions whose vectors lie along the last axis.

**Concentrations of Dirichlet priors, learned from the counts of all who share one.** A
fixed-point step for the Dirichlet-multinomial (Minka 2000, equation 55), with a Gamma
hyperprior whose mode is the start, and a leap on from two of them. Each is an ascent.

**A leap along two fixed-point steps of a learned concentration.** The fixed point moves
by ever shorter steps in much the same direction. Two of them say where many would lead
(Varadhan and Roland 2008, scheme S3, here in logarithms). The leap is taken only where
the objective of the steps, the Dirichlet-multinomial probability of the counts and the
hyperprior, gains by it, so it is an ascent like them.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.model import Dirichlet
from consilience.when_used import special

SHORT = 6  # numbers in a vector up to which columns are added one by one
FEW = 2**12  # numbers that are done before SciPy's special functions are loaded
FIXED_POINT_STEPS = 2  # a sweep; a leap goes on from them
FARTHEST = 100.0  # steps that a leap may stand for
TINY = 1e-300  # keeps a bend of zero from dividing


def total(array: Any) -> Any:
    """Return sums over the last axis, several times as fast as NumPy's where short.

    (A product with ones is faster by itself, but BLAS keeps all processors busy.)
    """
    width = array.shape[-1]
    if width > SHORT:
        return np.einsum("...l->...", array)
    summed = array[..., 0].copy()
    for column in range(1, width):
        summed += array[..., column]
    return summed


def expected_log(
    concentration: Float[np.ndarray, "*batch L"],
) -> Float[np.ndarray, "*batch L"]:
    """Return the expected logarithms."""
    return (
        special.digamma(concentration)
        - special.digamma(total(concentration))[..., None]
    )


def log_mean(
    concentration: Float[np.ndarray, "*batch L"],
) -> Float[np.ndarray, "*batch L"]:
    """Return the logarithms of the means."""
    return np.log(concentration) - np.log(total(concentration))[..., None]


def log_normaliser(concentration: Float[np.ndarray, "*batch L"]) -> float:
    """Return the log of what the densities are multiplied by, summed over vectors."""
    whole = np.asarray(total(concentration))
    return _sum_of_log_gamma(whole) - _sum_of_log_gamma(concentration)


def _sum_of_log_gamma(array: Float[np.ndarray, "..."]) -> float:
    if array.size > FEW:
        return float(special.gammaln(array).sum())
    return math.fsum(map(math.lgamma, array.ravel().tolist()))


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


def log_gamma(
    generator: np.random.Generator, shape: Float[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch"]:
    """Draw logarithms of gamma variables of scale one."""
    # A gamma variable of a small shape is often less than the smallest number: it is
    # drawn of shape + 1 and taken back, as a logarithm (Marsaglia and Tsang 2000).
    logs = np.log(generator.standard_gamma(shape + 1))
    logs -= generator.standard_exponential(shape.shape) / shape
    return logs


def log_dirichlet(
    generator: np.random.Generator, concentration: Float[np.ndarray, "*batch L"]
) -> Float[np.ndarray, "*batch L"]:
    """Draw logarithms of Dirichlet vectors, those along the last axis."""
    logs = log_gamma(generator, concentration)
    logs -= logs.max(-1, keepdims=True)
    return logs - np.log(total(np.exp(logs)))[..., None]


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
    """The objective of a learned concentration, of each that is shared."""

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
