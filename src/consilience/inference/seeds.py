"""One seed for all random numbers of a fit, whichever library draws them."""

from typing import Any
from zlib import crc32

import numpy as np

type Seed = int | tuple[int, ...]


def seed_for(seed: Seed, name: str) -> tuple[int, ...]:
    """Return a seed of the model's own, the same whoever else is compared."""
    return (*_whole(seed), crc32(name.encode()))


def generator_of(seed: Seed) -> np.random.Generator:
    """Return NumPy's source of random numbers."""
    return np.random.default_rng(_whole(seed))


def key_of(seed: Seed) -> Any:
    """Return JAX's random key."""
    import jax

    first, *rest = _whole(seed)
    key = jax.random.key(first)
    for number in rest:
        key = jax.random.fold_in(key, number)
    return key


def _whole(seed: Seed) -> tuple[int, ...]:
    return seed if isinstance(seed, tuple) else (seed,)
