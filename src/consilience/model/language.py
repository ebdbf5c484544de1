"""The words that models are written in: NumPyro's, but loaded without JAX.

A model is a program. It samples parameters by name and returns the distribution of the
answers. What `sample` gives is up to who runs the program: NumPyro draws, `em` and `vb`
pass the logarithms that they have estimated, Gibbs sampling those that it has drawn.

Functions of arrays beyond the array API serve NumPy and JAX alike.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

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


NO_SIZES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, eq=False, slots=True)
class LogDirichlet:
    """Logarithms of probability vectors; what is reported are the probabilities.

    Parameters
    ----------
    concentration
        Positive numbers, whose last axis is that of the vectors. If it is the value of
        a `Gamma` parameter, as `sample` gave it, it is learned.

    See Also
    --------
    sample : Sample a parameter.

    Examples
    --------
    >>> from consilience.model import LogDirichlet
    >>> LogDirichlet([[4.0, 1.0], [1.0, 4.0]]).shape
    (2, 2)
    """

    concentration: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is drawn at once."""
        return np.shape(self.concentration)


@dataclass(frozen=True, eq=False, slots=True)
class Gamma:
    """A gamma distribution; of the concentration of a `LogDirichlet`, its hyperprior.

    Parameters
    ----------
    concentration, rate
        Shape, above one, and rate.

    See Also
    --------
    LogDirichlet : Vectors of which it is the hyperprior.

    Examples
    --------
    >>> from consilience.model import Gamma
    >>> Gamma(5.0, 2.0).mode
    2.0
    """

    concentration: Any
    rate: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is drawn at once."""
        return np.shape(self.concentration)

    @property
    def mode(self) -> Any:
        """The most probable value."""
        return (self.concentration - 1) / self.rate


@dataclass(frozen=True, eq=False, slots=True)
class Normal:
    """A normal distribution.

    Parameters
    ----------
    loc, scale
        Mean and standard deviation.

    See Also
    --------
    sample : Sample a parameter.

    Examples
    --------
    >>> from consilience.model import Normal
    >>> Normal([0.0, 1.0], 0.5).shape
    (2,)
    """

    loc: Any = 0.0
    scale: Any = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is drawn at once."""
        return np.shape(self.loc)


@dataclass(frozen=True, eq=False, slots=True)
class HalfNormal:
    """The positive half of a normal distribution about zero.

    Parameters
    ----------
    scale
        Standard deviation of the whole one.

    See Also
    --------
    sample : Sample a parameter.

    Examples
    --------
    >>> from consilience.model import HalfNormal
    >>> HalfNormal(2.0).scale
    2.0
    """

    scale: Any = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is drawn at once."""
        return np.shape(self.scale)


@runtime_checkable
class Interpreter(Protocol):
    """Who runs a program."""

    def sample(
        self,
        name: str,
        distribution: Any,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
    ) -> Any:
        """Return the value of a parameter."""

    def deterministic(
        self, name: str, value: Callable[[], Any], dims: tuple[str, ...]
    ) -> None:
        """Keep a quantity that is reported with the parameters."""


_interpreter: ContextVar[Interpreter] = ContextVar("interpreter")


def interpreter() -> Interpreter:
    """Return who runs the program."""
    return _interpreter.get()


def sample(
    name: str, distribution: Any, *dims: str, sizes: Mapping[str, int] = NO_SIZES
) -> Any:
    """Sample a parameter of a model.

    Parameters
    ----------
    name : str
        Name of the parameter in results.
    distribution : LogDirichlet, Gamma, Normal, HalfNormal or RowEffects
        Distribution of the parameter.
    *dims : str
        Name of each axis. Axes that the distribution lacks are in front; along them
        values are independent.
    sizes : mapping of str to int, optional
        Sizes of the axes that neither the data nor the distribution has: all but
        annotator, annotator_group, true_class, given_class, and contrast.

    Returns
    -------
    array
        The value; of a `LogDirichlet` its logarithm.

    See Also
    --------
    deterministic : Report what follows from the parameters.

    Examples
    --------
    >>> from consilience.model import LogDirichlet, sample
    >>> def skills():
    ...     return sample("skill", LogDirichlet([4.0, 2.0]), "annotator", "right_wrong")
    """
    return _interpreter.get().sample(name, distribution, dims, sizes)


def deterministic(name: str, value: Callable[[], Any], *dims: str) -> None:
    """Report a quantity that follows from the parameters.

    Parameters
    ----------
    name : str
        Name of the quantity in results.
    value : callable
        Returns the quantity; called where it is kept.
    *dims : str
        Name of each axis.

    See Also
    --------
    sample : Sample a parameter.

    Examples
    --------
    >>> from consilience.model import Normal, deterministic, sample
    >>> def offsets():
    ...     offset = sample("offset", Normal(), "annotator")
    ...     deterministic("twice", lambda: 2 * offset, "annotator")
    ...     return offset
    """
    _interpreter.get().deterministic(name, value, dims)


def sized(
    coding: Any, shape: tuple[int, ...], dims: tuple[str, ...], sizes: Mapping[str, int]
) -> tuple[int, ...]:
    """Return the shape of a parameter, of which the distribution has the last axes."""
    every = {
        "annotator": coding.num_annotators,
        "annotator_group": coding.num_groups,
        "true_class": coding.num_states,
        "given_class": coding.num_answers,
        "contrast": coding.num_answers - 1,
        **sizes,
    }
    lead = len(dims) - len(shape)
    given = (*(1 for _ in range(lead)), *shape)
    return tuple(every.get(dim, size) for dim, size in zip(dims, given, strict=True))


@contextmanager
def run_by[I: Interpreter](interpreter: I) -> Iterator[I]:
    """Let an interpreter say what `sample` gives."""
    token = _interpreter.set(interpreter)
    try:
        yield interpreter
    finally:
        _interpreter.reset(token)
