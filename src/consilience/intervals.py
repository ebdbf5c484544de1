"""The bounds of every interval that comes from draws or resamples: one rule.

The quantile p of D draws lies at place p (D + 1) among them (Hyndman and Fan 1996,
definition 6): then one more draw falls between the bounds as often as they say, however
few draws there are. NumPy's own default lies at place 1 + p (D - 1), and the bounds of
40 draws hold .856 where .9 is said.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float

from consilience.errors import OptionError, not_a
from consilience.when_used import special

_FEWEST = 1e-9  # observations of a kind
_BLOCK = 2**22  # numbers that are held for some resamples at once: 32 MiB


def check_prob(prob: object) -> float:
    """Return a probability of intervals."""
    if isinstance(prob, bool) or not isinstance(prob, (int, float, np.number)):
        raise OptionError(not_a("prob", prob, "a number between 0 and 1"))
    if not 0 < prob < 1:
        raise OptionError(
            f"prob is {prob:g}; give a probability of the intervals between 0 and 1"
        )
    return float(prob)


def bounds(
    draws: Float[np.ndarray, "D *shape"], prob: float, *, skip_nan: bool = False
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """Return the equal-tailed bounds between which one more draw lies."""
    tail = (1 - prob) / 2
    quantile = np.nanquantile if skip_nan else np.quantile
    both = quantile(draws, [tail, 1 - tail], axis=0, method="weibull")
    return both[0, ...], both[1, ...]


def resampled_counts(
    size: int, resamples: int, widest: int, generator: np.random.Generator
) -> Iterator[Float[np.ndarray, "r N"]]:
    """Yield how often Efron's bootstrap draws each item, some resamples at a time.

    Items are drawn with replacement (Efron's bootstrap); `widest` numbers are held for
    each resample, if these are more than there are items.
    """
    step = max(1, _BLOCK // max(size, widest))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(size, size=(rows, size))
        drawn += np.arange(rows)[:, None] * size
        counted = np.bincount(drawn.ravel(), minlength=rows * size)
        yield counted.reshape(rows, size).astype(np.float64)


def resampled[Name](
    estimate: Callable[[Float[np.ndarray, "r N"]], Mapping[Name, np.ndarray]],
    size: int,
    resamples: int,
    widest: int,
    generator: np.random.Generator,
) -> dict[Name, np.ndarray]:
    """Return what is estimated, by name, with the weights of each resample."""
    blocks = resampled_counts(size, resamples, widest, generator)
    parts = [estimate(weights) for weights in blocks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def deviations(prob: float, kept: float) -> float:
    """Return how many times as far a normal's bounds lie at another probability."""
    return float(special.ndtri((1 + prob) / 2) / special.ndtri((1 + kept) / 2))


def move_bound(
    bound: Float[np.ndarray, "*shape"],
    before: Float[np.ndarray, "*shape"],
    after: Float[np.ndarray, "*shape"],
    factor: Float[np.ndarray, "*#shape"],
) -> Float[np.ndarray, "*shape"]:
    """Return bounds of probabilities that move, their distance in log-odds growing."""
    if np.isnan(bound).all():  # nothing states one
        return bound
    with np.errstate(invalid="ignore"):
        distance = log_odds(bound) - log_odds(before)
    return special.expit(log_odds(after) + factor * distance)


def share_bounds(
    share: Float[np.ndarray, " M"],
    variance: Float[np.ndarray, " M"],
    number: Float[np.ndarray, " M"],
    prob: float,
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return bounds of shares that are measured with some variance.

    They are those of a Beta distribution after as many independent observations as
    would leave that variance, at most `number`, and half of one of each kind (Korn and
    Graubard 1998).
    """
    spread = share * (1 - share)
    worth = np.divide(spread, variance, out=number.copy(), where=variance > 0)
    worth = np.minimum(worth, number)
    lower, upper = beta_bounds(share * worth + 0.5, (1 - share) * worth + 0.5, prob)
    return np.minimum(lower, share), np.maximum(upper, share)


def beta_bounds(
    yes: Float[np.ndarray, " M"], no: Float[np.ndarray, " M"], prob: float
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return bounds of Beta distributions after so many observations of either kind."""
    yes, no, tail = np.maximum(yes, _FEWEST), np.maximum(no, _FEWEST), (1 - prob) / 2
    return special.betaincinv(yes, no, tail), special.betaincinv(yes, no, 1 - tail)


def log_odds(probability: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Return finite log-odds, also of 0 and 1."""
    small = np.finfo(float).eps
    return special.logit(np.clip(probability, small, 1 - small))
