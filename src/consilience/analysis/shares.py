"""Shares of items: a part of those that count, and how it varies.

Every share is a ratio of sums over items: of a whole, the part of which something
holds, both by draw of the parameters. Its bounds come from weightings of the items, the
same for all that is compared (the Bayesian bootstrap). Each weighting takes its
probabilities from one draw of the parameters, so that bounds carry what is unknown of
these as well; a fit without such draws has one. Letters: D draws of the parameters, A
parties (models), I items, R weightings, S = 1 + R.

References
----------
Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from scipy.sparse import csr_array

from consilience import intervals
from consilience.errors import OptionError
from consilience.intervals import check_prob

_BLOCK = 2**22  # weights held at once: 32 MiB
type Values = Float[np.ndarray, "D A I"]
type Sums = tuple[Values, Values]
type Cell = tuple[str, str]  # metric, subset
type Weights = list[Float[np.ndarray, "r I"]]


class Share(NamedTuple):
    """Columns that name the shares of A parties, and what they are shares of."""

    named: Mapping[str, object]
    part: Values
    whole: Values


def mean_share(
    value: Float[np.ndarray, "*D A I"],
    members: Bool[np.ndarray, "A I"],
    named: Mapping[str, object],
) -> Share:
    """Return the mean of a value over the items that count for each party."""
    by_draw = value.reshape(-1, *members.shape)
    whole = np.broadcast_to(members.astype(float), by_draw.shape)
    return Share(named, np.where(members, np.nan_to_num(by_draw), 0.0), whole)


@dataclass(frozen=True)
class Resampling:
    """How shares vary: the number of items, of their weightings, and the interval."""

    items: int
    resamples: int
    prob: float
    seed: int

    def __post_init__(self) -> None:
        """Refuse what nothing can use."""
        if self.resamples < 2:
            raise OptionError(f"resamples {self.resamples}: give 2 or more")
        check_prob(self.prob)

    @cached_property
    def weightings(self) -> Weights:
        """The weights of the items, the same for all shares."""
        return list(weights(self.items, self.resamples, self.seed))

    def ratios(self, part: Values, whole: Values) -> Float[np.ndarray, "S A"]:
        """Return the ratio with all weights one, then with each weighting."""
        return ratios(part, whole, self.weightings)

    def interval(
        self, values: Float[np.ndarray, "S M"], name: str = "value"
    ) -> dict[str, Float[np.ndarray, " M"]]:
        """Return the columns of a value and its bounds."""
        lower, upper = bounds(values, self.prob)
        return {name: values[0], "lower": lower, "upper": upper}

    def rows(self, share: Share, values: Float[np.ndarray, "S A"]) -> pd.DataFrame:
        """Return names, value, bounds and expected number of items of known ratios."""
        items = np.nansum(share.whole.mean(0), axis=1)
        return pd.DataFrame({**share.named, **self.interval(values), "items": items})

    def table(self, shares: Iterable[Share]) -> pd.DataFrame:
        """Return what names each share, then value, lower, upper and items."""
        parts = [
            self.rows(share, self.ratios(share.part, share.whole)) for share in shares
        ]
        table = pd.concat(parts, ignore_index=True)
        return table.assign(items=table["items"].round().astype(np.int64))


def weights(
    items: int, resamples: int, seed: int
) -> Iterator[Float[np.ndarray, "r I"]]:
    """Draw weightings of the items, a block of them at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // items)
    for start in range(0, resamples, step):
        yield generator.exponential(size=(min(step, resamples - start), items))


def ratios(
    part: Values, whole: Values, weightings: Weights
) -> Float[np.ndarray, "S A"]:
    """Return ratios as `weighted_sums`; an item that has a NaN is left out."""
    skipped = np.isnan(part) | np.isnan(whole)
    above, below = (np.where(skipped, 0.0, values) for values in (part, whole))
    top, bottom = (
        weighted_sums(list(values.mT), weightings) for values in (above, below)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return top / bottom


def weighted_sums(
    by_draw: Sequence[Float[np.ndarray, "I C"] | csr_array], weightings: Weights
) -> Float[np.ndarray, "S C"]:
    """Return sums over items: with all weights one, then with each weighting."""
    parts = [np.mean([values.sum(axis=0) for values in by_draw], axis=0)[None]]
    start = 0
    for block in weightings:
        which = np.arange(start, start + len(block)) % len(by_draw)
        sums = np.empty((len(block), by_draw[0].shape[1]))
        for draw in np.unique(which):
            sums[which == draw] = block[which == draw] @ by_draw[draw]
        parts.append(sums)
        start += len(block)
    return np.concatenate(parts)


def bounds(
    values: Float[np.ndarray, "S M"], prob: float
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return what holds `prob` of the weightings; NaN where one is undefined."""
    return intervals.bounds(values[1:], prob)
