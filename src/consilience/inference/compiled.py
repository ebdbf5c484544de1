"""How closed forms are compiled: sooner, for the same speed.

At level 1 LLVM leaves out passes that took a third of the compiling time. On the public
set zc_us fits then took as long as before, within 5%; at level 0 three to five times as
long, which is still less than compiling takes where arrays are small.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import jax
import numpy as np

LEVEL = 1
SMALL = 20_000  # numbers in all arguments, up to which level 0 is faster in all


def compiled(
    function: Callable[..., Any], *, static_argnames: str | tuple[str, ...] = ()
) -> Callable[..., Any]:
    """Return the function compiled, as hard as the size of its arguments is worth.

    Parameters
    ----------
    function
        As for `jax.jit`.
    static_argnames
        As for `jax.jit`.
    """
    at = partial(_at_level, function, static_argnames)
    soon, fast = at(0), at(LEVEL)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves = jax.tree.leaves((args, kwargs))
        few = sum(np.size(leaf) for leaf in leaves if hasattr(leaf, "size")) <= SMALL
        return (soon if few else fast)(*args, **kwargs)

    call.variants = soon, fast  # type: ignore[attr-defined]  # to count programs
    return call


def _at_level(
    function: Callable[..., Any], static_argnames: str | tuple[str, ...], level: int
) -> Callable[..., Any]:
    options = {"xla_backend_optimization_level": level}
    jitted: Callable[..., Any] = jax.jit(
        function, static_argnames=static_argnames, compiler_options=options
    )
    return jitted
