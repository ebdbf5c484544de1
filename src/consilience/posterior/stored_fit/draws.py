"""A fit's parameters as arrays with one axis of draws, and estimates over that axis.

Chains are laid end to end, so S = C * D draws. Bounds are equal-tailed: at
probability p, the quantiles (1 - p) / 2 and (1 + p) / 2. A point estimate is a single
draw; one draw says nothing of spread, so its bounds are NaN, never the point itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from consilience.intervals import bounds
from consilience.model.draws import stack_chains
from consilience.when_used import xr

# Quantiles sort a copy of what they are given. Blocks of this many numbers (32 MiB in
# single precision) keep that copy small beside the draws, which may be gigabytes.
_BLOCK = 2**23


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Posterior mean with equal-tailed bounds; NaN bounds where nothing states them."""

    mean: Float[np.ndarray, "*shape"]
    lower: Float[np.ndarray, "*shape"]
    upper: Float[np.ndarray, "*shape"]


def draws(
    data: xr.DataTree, name: str, dims: tuple[str, ...]
) -> Float[np.ndarray, "S ..."] | None:
    """Draws of one parameter, chains end to end."""
    if "posterior" not in data.children or name not in data["posterior"].data_vars:
        return None
    variable = data["posterior"][name]
    if set(variable.dims) != {"chain", "draw", *dims}:
        return None
    values = variable.transpose("chain", "draw", *dims).to_numpy()
    return stack_chains(values)


def estimate(values: Float[np.ndarray, "S ..."], prob: float) -> Estimate:
    """Mean and equal-tailed bounds over the draws."""
    num_draws, *shape = values.shape
    columns = values.reshape(num_draws, -1)
    lower = np.full(columns.shape[1], np.nan)
    upper = lower.copy()
    step = max(1, _BLOCK // num_draws)
    for start in range(0, columns.shape[1] if num_draws > 1 else 0, step):
        block = slice(start, start + step)
        lower[block], upper[block] = bounds(columns[:, block], prob)
    return Estimate(
        mean=values.mean(axis=0, dtype=np.float64),
        lower=lower.reshape(shape),
        upper=upper.reshape(shape),
    )
