"""Functions of arrays beyond the array API, for both NumPy and JAX."""

from typing import Any

import numpy as np


def namespace(array: Any) -> Any:
    """Return the functions that go with an array: those of NumPy, or of JAX."""
    return array.__array_namespace__()


def logsumexp(array: Any, axis: int) -> Any:
    """Return the log of the summed exponentials along an axis; all may be small."""
    if not isinstance(array, np.ndarray):
        # A slope through the maximum is 0/0 where XLA computes the latter twice.
        import jax  # noqa: PLC0415 (NumPy is enough elsewhere)

        return jax.nn.logsumexp(array, axis)
    largest = array.max(axis)
    apart = array - np.expand_dims(largest, axis=axis)
    return largest + np.log(np.exp(apart).sum(axis))


def one_hot(place: Any, number: int) -> Any:
    """Return rows that are one at a place, and zero elsewhere."""
    xp = namespace(place)
    return (place[..., None] == xp.arange(number)).astype(float)


def log_softmax(array: Any) -> Any:
    """Return logs that are normalised along the last axis."""
    return array - logsumexp(array, -1)[..., None]
