"""Settings of engines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any
from zlib import crc32

from consilience.errors import OptionError
from consilience.intervals import check_prob

if TYPE_CHECKING:
    import numpy as np

type Seed = int | tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Settings of an engine; None keeps the engine's own default.

    Attributes
    ----------
    draws : int, optional
        Draws of each chain (nuts: 1000), or in all: gibbs until its chains agree, at
        most 720; vb 200 or fewer; em of models without closed forms 50 where it was
        not asked for, 20 of objects, and else none. 0 for none (vb, em).
    tune : int, optional
        Warm-up steps (nuts: 1000, or 200 from a mode; gibbs: 100 or fewer).
    chains : int, optional
        Chains (nuts: 4; gibbs: 12 or fewer).
    restarts : int, optional
        Number of starts, of which the best is kept (em: 1; vb: 5 or fewer, 40 where a
        model has finer states).
    tolerance : float, optional
        Gain per answer, in nats, below which the optimizer stops (em, vb: 1e-7). For
        models without closed forms the gain per parameter must be below 1e-4 as well.
    iterations : int, optional
        Largest number of iterations (em, vb: 2000).
    prob : float, default 0.9
        Probability of the intervals.

    See Also
    --------
    consilience.fit : Takes the settings as its argument `effort`.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> effort = cs.EngineOptions(restarts=2, iterations=50)
    >>> fit = cs.fit(responses, model="multinomial", engine="em", effort=effort)
    >>> fit.data["optimization"].sizes["restart"]
    2
    """

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    restarts: int | None = None
    tolerance: float | None = None
    iterations: int | None = None
    prob: float = 0.9

    def __post_init__(self) -> None:
        """Refuse what no engine can do."""
        check_prob(self.prob)
        for name, value in asdict(self).items():
            if name == "prob" or value is None:
                continue
            least = 0 if name in ("draws", "tune", "tolerance") else 1
            whole = name != "tolerance"
            if not (_is_number(value) and value >= least and (value % 1 == 0) >= whole):
                what = f"a whole number of {least}" if whole else least
                raise OptionError(
                    f"{name} is {value!r}; give {what} or more, or leave it out"
                )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value)


def check_seed(seed: object) -> int:
    """Return a seed as an int, and refuse one that is none."""
    if isinstance(seed, Integral) and not isinstance(seed, bool):
        number = int(seed)
        if 0 <= number < 2**32:
            return number
    raise OptionError(
        f"seed is {seed!r}; a seed is a whole number from 0 to {2**32 - 1}"
    )


def check_fits(name: str, engine: str, engines: Sequence[str]) -> None:
    """Refuse an engine that does not fit a model; one is always chosen."""
    if engine not in ("auto", *engines):
        raise OptionError(
            f"{name} cannot be fitted by {engine}; it has: {', '.join(engines)}"
        )


def seed_for(seed: Seed, name: str) -> tuple[int, ...]:
    """Return a seed of the model's own, the same whoever else is compared."""
    return (*_whole(seed), crc32(name.encode()))


def generator_of(seed: Seed) -> "np.random.Generator":
    """Return NumPy's source of random numbers."""
    import numpy as np

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
