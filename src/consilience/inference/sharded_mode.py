"""The most probable parameters of models without closed forms, over shards of a study.

Minus the log density and its slope are sums over shards, each of which has the density
of the prior, which counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key

from consilience.executors import Room, Sum, executor
from consilience.inference.ascent import Steps
from consilience.inference.mode import (
    Data,
    Mode,
    Optimized,
    Real,
    energy_of_prior,
    lay_out_data,
    mode_at,
)
from consilience.inference.optimize import Energy, InMemory, climb
from consilience.inference.options import Seed, key_of
from consilience.inference.result import Optimization, Result, at_a_point
from consilience.inference.sharded import Spaces
from consilience.model import Model, Parameters
from consilience.programs import double_precision
from consilience.progress import Reporter
from consilience.truth import Space
from consilience.truth.arrays import on_host

# NumPyro has one stack of handlers in a process; XLA uses all cores for one program.
KEPT = 20_000_000  # answers that are laid out in memory: 63 bytes each, of contains


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A shard laid out for the accelerator, and the model that this was done for."""

    model: Model[Any]
    data: Data
    real: Real

    def __sizeof__(self) -> int:
        """Return how many bytes it takes, by which Dask decides where it works."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.data))

    def energy(self, seed: int | None, place: int, position: Parameters) -> Sum:
        """Return minus the log density and its slope; with a guess as evidence or not.

        A guess is the votes', where the seed is negative, or shaken.
        """
        with double_precision():
            study = InMemory(self.model, self.data)
            energy = study.energy
            if seed is not None:
                key = None if seed < 0 else jax.random.key(seed)
                key = key if key is None else jax.random.fold_in(key, place)
                energy = study.guided(key)
            value, slope = energy(jax.tree.map(jnp.asarray, dict(position)))
            return Sum(float(value), dict(on_host(slope)))


class ShardedDensity:
    """The log posterior density of a model and shards of a study, to be climbed."""

    def __init__(
        self, model: Model[Any], spaces: Spaces, number: int, client: Any = None
    ) -> None:
        self.model = model
        self.of_all = _of_all(model, spaces, number, client)
        lay_out = partial(_laid_out, model, spaces, self.of_all)
        self.whole = lay_out(0).data.whole
        self.executor = executor(client, lay_out, number, keep=Room(KEPT, _size))
        self.number = number
        self.answers = float(sum(self.executor.each(_total)))

    def guided(self, key: Key[Array, ""] | None) -> Energy:
        """Return minus the density and its slope, a guess of the truth as evidence."""
        seed = -1 if key is None else int(jax.random.bits(key) >> 1)
        return partial(self._energy, seed)

    @property
    def energy(self) -> Energy:
        """Minus the density, and its slope."""
        return partial(self._energy, None)

    def _energy(
        self, seed: int | None, position: Parameters
    ) -> tuple[Float[np.ndarray, ""], Parameters]:
        total = self.executor.added(_energy_of, seed, on_host(position))
        before, fall = energy_of_prior(self.model, self.whole, position)
        again = self.number - 1  # of the prior
        value = np.asarray(total.value - again * float(before))
        slope = {
            name: jnp.asarray(each - again * np.asarray(fall[name]))
            for name, each in total.arrays.items()
        }
        return value, slope


def _laid_out(
    model: Model[Any], spaces: Spaces, of_all: Mapping[str, Any], place: int
) -> Part:
    return _of_space(model, spaces(place), of_all)


def _of_space(model: Model[Any], space: Space, of_all: Mapping[str, Any]) -> Part:
    with double_precision():
        return Part(model, *lay_out_data(model, space, of_all=of_all))


def _size(part: Part) -> int:
    return int(part.data.whole.total)


def _total(part: Part, _: int) -> float:
    return float(_size(part))


def _energy_of(part: Part, place: int, seed: int | None, position: Parameters) -> Sum:
    return part.energy(seed, place, position)


def _of_all(
    model: Model[Any], spaces: Spaces, number: int, client: Any
) -> dict[str, Any]:
    """Return the fields of the layout that are those of all shards together."""
    if not model.summed:
        return {}
    layouts = executor(client, partial(_laid_out, model, spaces, {}), number)
    try:
        parts = list(layouts.each(_fields))
    finally:
        layouts.close()
    return {name: _together([part[name] for part in parts]) for name in model.summed}


def _fields(part: Part, _: int) -> dict[str, Any]:
    """Return fields of the layout of a part, on the host."""
    fields = {name: getattr(part.data.whole.layout, name) for name in part.model.summed}
    return {
        name: value if isinstance(value, bool) else on_host(value)
        for name, value in fields.items()
    }


def _together(values: list[Any]) -> Any:
    """Return the sum, or whether one is true."""
    if isinstance(values[0], bool):
        return any(values)
    return jax.tree.map(lambda *each: jnp.asarray(sum(each)), *values)


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    """The most probable parameters, found over all shards."""

    model: Model[Any]
    of_all: Mapping[str, Any]
    position: Parameters
    how: Optimization
    parameters: Parameters

    def result(self, space: Space, remarks: tuple[str, ...]) -> Result:
        """Return what they say of the items of a shard."""
        peak = _mode(_of_space(self.model, space, self.of_all), self.position)
        belief, likelihood = map(np.asarray, (peak.belief, peak.log_likelihood))
        return at_a_point(dict(self.parameters), belief, likelihood, self.how, remarks)


def _mode(part: Part, position: Parameters) -> Mode:
    with double_precision():
        place, unravel = ravel_pytree(position)
        summit = Optimized(part.data, part.real, np.asarray(place), unravel)
        return mode_at(part.model, summit, summit.position)


def top_of_shards(
    model: Model[Any],
    spaces: Spaces,
    number: int,
    steps: Steps,
    seed: Seed,
    client: Any,
    report: Reporter,
) -> Top:
    """Optimize over all shards, as over a study in memory."""
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        density = ShardedDensity(model, spaces, number, client)
        try:
            place, unravel, how = climb(density, steps, key_of(seed), report)
        finally:
            density.executor.close()
        position = on_host(unravel(jnp.asarray(place)))
    first = _mode(_of_space(model, spaces(0), density.of_all), position)
    return Top(model, density.of_all, position, how, on_host(first.parameters))
