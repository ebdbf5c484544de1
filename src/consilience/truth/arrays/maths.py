"""One arithmetic, of JAX or of NumPy, by what it is given.

Slopes want a program that JAX compiles, in seconds. What is looked at once or a few
times, as a posterior is, NumPy has computed long before that.

**Frozen records that JAX can look into.** JAX rebuilds records while it transforms a
function, with placeholders or stacks where arrays belong. `register_dataclass` does so
through the constructor, where shapes are checked; here the fields are put in place
without it, so that only records that a person builds are checked.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import GetAttrKey, register_pytree_with_keys
from jaxtyping import Array
from scipy import special

if TYPE_CHECKING:
    AnyArray = Any  # arithmetic gives what it is given
else:
    AnyArray = Array | np.ndarray | np.number


@dataclass(frozen=True, slots=True)
class Maths:
    """Functions of arrays."""

    xp: ModuleType
    sigmoid: Callable[[Any], Any]
    log_sigmoid: Callable[[Any], Any]
    logsumexp: Callable[..., Any]
    once: Callable[[Any], Any]


def maths(*given: Any) -> Maths:
    """Return JAX's if any array is one of its own, as in a program; else NumPy's."""
    leaves = jax.tree.leaves(given)
    return COMPILED if any(isinstance(leaf, jax.Array) for leaf in leaves) else HOST


def on_host[Tree](tree: Tree) -> Tree:
    """Return the same with all its arrays as NumPy's; no number is copied."""
    arrays: Tree = jax.tree.map(np.asarray, tree)
    return arrays


def pytree[Record](*static: str) -> Callable[[type[Record]], type[Record]]:
    """Return a decorator that registers a frozen dataclass."""

    def register(record: type[Record]) -> type[Record]:
        names = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]
        leaves = [name for name in names if name not in static]

        def flatten(value: Record) -> tuple[list[tuple[GetAttrKey, Any]], Any]:
            keyed = [(GetAttrKey(name), getattr(value, name)) for name in leaves]
            return keyed, tuple(getattr(value, name) for name in static)

        def unflatten(fixed: Any, children: Any) -> Record:
            rebuilt = object.__new__(record)
            for name, child in zip(leaves, children, strict=True):
                object.__setattr__(rebuilt, name, child)
            for name, child in zip(static, fixed, strict=True):
                object.__setattr__(rebuilt, name, child)
            return rebuilt

        register_pytree_with_keys(record, flatten, unflatten)
        return record

    return register


HOST = Maths(
    np, special.expit, special.log_expit, special.logsumexp, lambda table: table
)
COMPILED = Maths(
    jnp,
    jax.nn.sigmoid,
    jax.nn.log_sigmoid,
    jax.nn.logsumexp,
    jax.lax.optimization_barrier,
)
