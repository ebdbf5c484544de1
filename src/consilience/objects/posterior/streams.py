"""Random numbers of many items at once, of each from a stream of its own.

So what is drawn of an item does not depend on which others stand beside it: drawn again
alone, or among more, it is the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

TINY = 1e-12  # no shape of a gamma distribution is smaller


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """A generator for each item; what it gives has the items along the first axis."""

    each: tuple[np.random.Generator, ...]

    def random(self, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        """Return numbers uniform from 0 to 1."""
        return np.stack([one.random(shape[1:]) for one in self.each])

    def stratified(self, number: int) -> Float[np.ndarray, "u D"]:
        """Return so many numbers from 0 to 1 of each, evenly spaced, in any order."""
        steps = np.arange(number)
        return np.stack(
            [one.permutation((steps + one.random()) / number) for one in self.each]
        )

    def log_gamma(
        self, shape: Float[np.ndarray, "u ..."]
    ) -> Float[np.ndarray, "u ..."]:
        """Return logarithms of numbers of gamma distributions of scale one.

        A number of a tiny shape is too small for a float; its logarithm is not. It is
        drawn as that of a shape larger by one, times a power of a uniform number.
        """
        shape = np.maximum(shape, TINY)
        pairs = list(zip(self.each, shape, strict=True))
        larger = np.stack([one.standard_gamma(a + 1) for one, a in pairs])
        power = np.stack([one.standard_exponential(a.shape) / a for one, a in pairs])
        logs: Float[np.ndarray, "u ..."] = np.log(larger) - power
        return logs

    def beta(
        self, yes: Float[np.ndarray, "u ..."], no: Float[np.ndarray, "u ..."]
    ) -> Float[np.ndarray, "u ..."]:
        """Return numbers of beta distributions."""
        pairs = zip(self.each, yes, no, strict=True)
        return np.stack([one.beta(a, b) for one, a, b in pairs])

    def multinomial(
        self, number: Int[np.ndarray, " u"], chance: Float[np.ndarray, "u D n"]
    ) -> Int[np.ndarray, "u D n"]:
        """Return how often each came, in so many trials of each item."""
        counts = np.zeros(chance.shape, np.int64)
        for at in np.flatnonzero(number):
            counts[at] = self.each[at].multinomial(number[at], chance[at])
        return counts


def streams(seed: int, names: Iterable[Any] | Shaped[np.ndarray, " u"]) -> Streams:
    """Return the streams of some items."""
    return Streams(
        tuple(np.random.default_rng([seed, *_number(str(name))]) for name in names)
    )


def _number(name: str) -> tuple[int, int]:
    digest = blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4]), int.from_bytes(digest[4:])
