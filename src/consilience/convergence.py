"""How well chains of a sampler agree, and how many independent draws they are worth.

Rank-normalised split R-hat compares the variance between halves of chains with that
within them, for the ranks of the draws and for their distances from the median. The
effective sample size sums autocorrelations as Geyer's initial monotone sequence does:
in the bulk, of ranks; in the tails, of being below the 5 % and below the 95 % quantile.
The figures are those of ArviZ, which computes one quantity at a time and takes a second
to import; a sampler asks for those of thousands while it runs.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, sections 3 and 4.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from consilience.when_used import special

TAILS = (0.05, 0.95)
MIN_DRAWS = 4  # of a chain: less cannot be split into halves that vary
BLOCK = 1_000_000  # draws transformed at once (16 MB as complex numbers)


class Convergence(NamedTuple):
    """R-hat, and effective sample sizes of the bulk and of the tails, by quantity.

    R-hat is infinite where chains stand still in different places, and NaN of one chain
    or of a quantity that never moves.
    """

    rhat: Float[np.ndarray, " P"]
    bulk: Float[np.ndarray, " P"]
    tail: Float[np.ndarray, " P"]


def convergence(draws: Float[np.ndarray, "C D P"]) -> Convergence:
    """Compute R-hat and effective sample sizes; NaN with fewer than four draws."""
    chains, number, quantities = draws.shape
    if number < MIN_DRAWS or not quantities:
        return Convergence(*np.full((3, quantities), np.nan))
    step = max(BLOCK // (chains * number), 1)
    by_quantity = draws.transpose(2, 0, 1)
    parts = [
        _of_some(np.ascontiguousarray(by_quantity[first : first + step], float))
        for first in range(0, quantities, step)
    ]
    rhat, bulk, tail = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Convergence(rhat if chains > 1 else np.full(quantities, np.nan), bulk, tail)


def _of_some(draws: Float[np.ndarray, "P C D"]) -> Convergence:
    halves = _split(draws)
    ranked = _normal_scores(halves)
    middle = np.median(halves, axis=(1, 2), keepdims=True)
    folded = _normal_scores(np.abs(halves - middle))
    low, high = np.quantile(draws, TAILS, axis=(1, 2))[:, :, None, None]
    return Convergence(
        np.fmax(_rhat(ranked), _rhat(folded)),
        _effective(ranked),
        np.minimum(_effective(_split(draws <= low)), _effective(_split(draws <= high))),
    )


def _effective(draws: Shaped[np.ndarray, "P H D"]) -> Float[np.ndarray, " P"]:
    """Return how many independent draws would leave the same error of the mean."""
    _, chains, number = draws.shape
    mean = draws.mean(2)
    size = 1 << (2 * number - 1).bit_length()  # no lag wraps around
    frequency = np.fft.rfft(draws - mean[:, :, None], size)
    power = np.einsum("phf->pf", frequency.real**2 + frequency.imag**2)
    covariance = np.fft.irfft(power, size)[:, :number] / (chains * number)
    within = covariance[:, :1] * number / (number - 1)
    total = covariance[:, :1] + mean.var(1, ddof=min(chains - 1, 1))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1 - (within - covariance) / total
    correlation[:, 0] = 1.0
    time = _autocorrelation_time(correlation.T)
    still = np.ptp(draws.astype(float), axis=(1, 2)) < np.finfo(float).resolution
    time = np.where(still, 1.0, np.maximum(time, 1 / np.log10(chains * number)))
    effective: Float[np.ndarray, " P"] = chains * number / time
    return effective


def _autocorrelation_time(
    correlation: Float[np.ndarray, "D P"],
) -> Float[np.ndarray, " P"]:
    """Sum the autocorrelations of Geyer's initial monotone sequence."""
    pairs = max((len(correlation) - 1) // 2, 1)
    even = correlation[: 2 * pairs : 2]
    sums = even + correlation[1 : 2 * pairs : 2]
    ended = sums <= 0
    last = np.where(ended.any(0), ended.argmax(0), pairs - 1)
    before = np.arange(pairs)[:, None] < last
    whole = np.where(before, np.minimum.accumulate(sums), 0.0).sum(0)
    quantity = np.arange(len(last))
    final, both = even[last, quantity], sums[last, quantity]
    return -1 + 2 * whole + np.where((both >= 0) | (final > 0), final, 0.0)


def _rhat(draws: Shaped[np.ndarray, "P H D"]) -> Float[np.ndarray, " P"]:
    number = draws.shape[2]
    within, between = draws.var(2, ddof=1).mean(1), draws.mean(2).var(1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Float[np.ndarray, " P"] = np.sqrt(
            between / within + (number - 1) / number
        )
    return ratio


def _split(draws: Shaped[np.ndarray, "P C D"]) -> Shaped[np.ndarray, "P H E"]:
    half = draws.shape[2] // 2
    return np.concatenate([draws[..., :half], draws[..., -half:]], 1)


def _normal_scores(draws: Float[np.ndarray, "P H D"]) -> Float[np.ndarray, "P H D"]:
    """Return normal scores of ranks among all draws; equal ones share a rank."""
    flat = draws.reshape(len(draws), -1)
    number = flat.shape[1]
    order = flat.argsort(1)
    ordered = np.take_along_axis(flat, order, 1)
    rank = np.broadcast_to(np.arange(1.0, number + 1), flat.shape)
    same = ordered[:, 1:] == ordered[:, :-1]
    if same.any():
        rank = _shared(rank, same)
    scores = np.empty(flat.shape)
    fraction = (rank - 0.375) / (number + 0.25)
    np.put_along_axis(scores, order, special.ndtri(fraction), 1)
    return scores.reshape(draws.shape)


def _shared(
    rank: Float[np.ndarray, "P S"], same: Bool[np.ndarray, "P S-1"]
) -> Float[np.ndarray, "P S"]:
    edge = np.ones((len(rank), 1), bool)
    starts = np.concatenate([edge, ~same], 1)
    ends = np.concatenate([~same, edge], 1)
    first = np.maximum.accumulate(np.where(starts, rank, 0), 1)
    after = np.where(ends, rank, np.inf)[:, ::-1]
    last = np.minimum.accumulate(after, 1)[:, ::-1]
    mean: Float[np.ndarray, "P S"] = (first + last) / 2
    return mean
