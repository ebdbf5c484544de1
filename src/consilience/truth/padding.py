"""Blocks and covariates filled up to sizes that recur, so that programs serve again.

A program is compiled for the shapes that it meets. Items that come a few at a time
would each time be a new shape; filled up they are one of few.
"""

from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from consilience.truth.block_counts import Blocks
from consilience.truth.covariates import Known

_OF_COMPLETIONS = {"of_unit", "lazy", "pickers", "ways"}
_UNITS, _WAYS = 32, 512  # the fewest, so that one item takes as much as a few
_COARSE, _FINE = 4, 16384  # sizes grow so many times at once; from there, by an eighth
_RESPONSES = 8  # the most responses of a unit is filled up to a multiple of this


def padded(blocks: Blocks, known: Known) -> tuple[Blocks, Known]:
    """Return the same with units and completions behind them that say nothing.

    Parameters
    ----------
    blocks, known
        Of units of one number of candidates. Gradients are not for the result.
    """
    units = _room(len(blocks.unit) + 1, _UNITS)
    ways = _room(len(blocks.of_unit), _WAYS)
    most = -(-blocks.most // _RESPONSES) * _RESPONSES
    filled: dict[str, Any] = {"most": most}
    filled.update(dict.fromkeys(("by_unit", "by_style", "cells")))
    for name in (field.name for field in fields(blocks)):
        value = getattr(blocks, name)
        if name not in filled and isinstance(value, (np.ndarray, jax.Array)):
            filled[name] = _filled(value, ways if name in _OF_COMPLETIONS else units)
    unit = filled["of_unit"]
    spare = np.arange(ways) >= len(blocks.of_unit)
    filled["of_unit"] = np.where(spare, units - 1, unit).astype(unit.dtype)
    filled = {
        name: jnp.asarray(value)
        if isinstance(value, np.ndarray) and name != "unit"
        else value
        for name, value in filled.items()
    }
    alike = jax.tree.map(lambda leaf: jnp.asarray(_filled(leaf, units)), known)
    return replace(blocks, **filled), alike


def _filled(value: np.ndarray | Array, size: int) -> np.ndarray:
    rest = [(0, 0)] * (value.ndim - 1)
    return np.pad(np.asarray(value), [(0, size - len(value)), *rest])


def _room(size: int, room: int) -> int:
    while room < min(size, _FINE):
        room *= _COARSE
    if size <= _FINE:
        return room
    step = 1 << (size.bit_length() - 4)
    return -(-size // step) * step
