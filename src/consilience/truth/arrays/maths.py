"""One arithmetic, of JAX or of NumPy, by what it is given.

Slopes want a program that JAX compiles, in seconds. What is looked at once or a few
times, as a posterior is, NumPy has computed long before that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
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


def maths(*given: Any) -> Maths:
    """Return JAX's if any array is one of its own, as in a program; else NumPy's."""
    leaves = jax.tree.leaves(given)
    return COMPILED if any(isinstance(leaf, jax.Array) for leaf in leaves) else HOST


def on_host[Tree](tree: Tree) -> Tree:
    """Return the same with all its arrays as NumPy's; no number is copied."""
    arrays: Tree = jax.tree.map(np.asarray, tree)
    return arrays
