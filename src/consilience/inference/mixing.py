r"""Whether a sampler has run long enough for the quantities that users read.

These are the accuracies of annotators, the prevalence, the confusions, and P(label) of
items that are not all but decided; where a model has no confusions, its parameters.
Latent parameters are not judged: where an annotator answered little, skill and habit
trade places slowly while all that is reported stands still.

R-hat is at most 1.05 (a posterior that is 1.05 times as wide if all chains are taken
for one). A bulk effective sample size of 200 leaves an error of the mean of
:math:`1 / \sqrt{200} = .07` posterior standard deviations. The 5 % quantile of a normal
distribution with S effective draws has a standard error of
:math:`\sqrt{.05 \cdot .95 / S} / \phi(1.645) = 2.11 / \sqrt S` standard deviations, and
a 90 % interval is 3.29 wide: with 100 effective draws in the tails the error is
:math:`.64 / \sqrt{100} = .064` widths, below the tenth that is allowed, which 41 reach.

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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.model import Model
from consilience.truth import ContainsSpace, Space
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
    return chains * number / time


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
    ranks = pd.DataFrame(flat).rank(axis=1).to_numpy()
    fraction = (ranks - 0.375) / (flat.shape[1] + 0.25)
    return special.ndtri(fraction).reshape(draws.shape)


RHAT, BULK, TAIL = 1.05, 200.0, 100.0
DECIDED = 0.95  # P(label) from which on an item counts as all but decided
# Quantities of a kind that are looked at closely: those whose chains differ most.
MOST = 200


@dataclass(frozen=True, slots=True, eq=False)
class Mixing:
    """How well the chains mixed, quantity by quantity, in so many draws of them all."""

    quantity: Shaped[np.ndarray, " P"]
    rhat: Float[np.ndarray, " P"]
    ess_bulk: Float[np.ndarray, " P"]
    ess_tail: Float[np.ndarray, " P"]
    lowest: Float[np.ndarray, " P"]
    highest: Float[np.ndarray, " P"]
    mode: Int[np.ndarray, " C"]
    weight: Float[np.ndarray, " M"]
    draws: int
    modes: str = ""

    @property
    def enough(self) -> bool:
        """Whether all quantities reach the limits."""
        reached = (self.ess_bulk >= BULK) & (self.ess_tail >= TAIL)
        return bool((reached & (self.rhat <= RHAT)).all())


def judge(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "C D *shape"]],
    labels: Float[np.ndarray, "C D V"],
    units: Int[np.ndarray, " V"],
) -> Mixing:
    """Compute R-hat and effective sample sizes of what users read."""
    names: list[str] = []
    figures = []
    for name, draws, axes in _quantities(model, space, parameters, labels, units):
        flat = draws.reshape(*draws.shape[:2], -1)
        kept = _differing_most(flat)
        places = np.stack(np.unravel_index(kept, draws.shape[2:] or (1,)), 1)
        names += [_called(name, axes, place) for place in places]
        mean = flat[:, :, kept].mean(1, dtype=float)
        figures.append((*convergence(flat[:, :, kept]), mean.min(0), mean.max(0)))
    rhat, bulk, tail, lowest, highest = (
        np.concatenate(each) for each in zip(*figures, strict=True)
    )
    if len(labels) > 1:
        # A chain that stands still beside one elsewhere divides by zero.
        rhat = np.where(np.isfinite(rhat), rhat, np.inf)
    return Mixing(
        np.array(names, object),
        rhat,
        bulk,
        tail,
        lowest,
        highest,
        mode=np.zeros(len(labels), int),
        weight=np.ones(1),
        draws=labels.shape[0] * labels.shape[1],
    )


def undecided(
    belief: Float[np.ndarray, "U S"],
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, " V"]]:
    """Return the units that are least decided, and the most probable state of each."""
    top = belief.max(1)
    order = np.argsort(top, kind="stable")[:MOST]
    units = np.sort(order[top[order] < DECIDED])
    return units, belief[units].argmax(1)


def _quantities(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "C D *shape"]],
    labels: Float[np.ndarray, "C D V"],
    units: Int[np.ndarray, " V"],
) -> Iterator[tuple[str, Shaped[np.ndarray, "C D *shape"], tuple[Any, ...]]]:
    """Give each kind of quantity: its name, its draws, and the names along its axes."""
    along = {
        "annotator": space.annotators,
        "true_class": space.states,
        "given_class": space.answers,
    }
    dims = {**model.dims(space), "accuracy": ("annotator",)}
    rows = ("annotator", "true_class", "given_class")
    read = dict(parameters)
    if "confusion" in read and dims["confusion"] == rows:
        confusion = read["confusion"]
        prevalence = read.get("mean_prior", read.get("prevalence"))
        if prevalence is None:
            prevalence = np.full((1, 1, confusion.shape[3]), 1 / confusion.shape[3])
        prevalence = np.broadcast_to(
            prevalence, (*confusion.shape[:2], confusion.shape[3])
        )
        accuracy = np.einsum("cdk,cdjkl,lk->cdj", prevalence, confusion, space.votes)
        read = {"accuracy": accuracy, "prevalence": prevalence, "confusion": confusion}
    for name, draws in read.items():
        axes = tuple(
            along.get(axis, range(size))
            for axis, size in zip(dims[name], draws.shape[2:], strict=True)
        )
        yield name, draws, axes
    items = [str(space.unit_item[unit]) for unit in units]
    if isinstance(space, ContainsSpace):
        items = [
            f"{item}, {label}"
            for item, label in zip(items, space.unit_label[units], strict=True)
        ]
    yield "P(label)", labels, (items,)


def _called(name: str, axes: tuple[Any, ...], place: Int[np.ndarray, " A"]) -> str:
    words = [str(names[at]) for names, at in zip(axes, place, strict=False)]
    return f"{name}[{', '.join(words)}]" if words else name


def _differing_most(draws: Shaped[np.ndarray, "C D P"]) -> Int[np.ndarray, " V"]:
    """Return the quantities with the largest R-hat of halves, without ranks."""
    moving = np.flatnonzero(np.ptp(draws, axis=(0, 1)) > 0)
    half = draws.shape[1] // 2
    if len(moving) <= MOST or half < 2:
        return moving[:MOST]
    halves = np.concatenate([draws[:, :half, moving], draws[:, -half:, moving]])
    within = halves.var(1, dtype=float).mean(0)
    between = halves.mean(1, dtype=float).var(0)
    ratio = between / np.maximum(within, np.finfo(float).tiny)
    return np.sort(moving[np.argsort(-ratio, kind="stable")[:MOST]])
