"""Draws of an earlier fit, laid out for the annotators of a new study, by name."""

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Shaped

from consilience.truth import Space


def matched(
    space: Space, data: xr.DataTree
) -> dict[str, Shaped[np.ndarray, "chain draw ..."]]:
    """Return the draws with the annotators, and groups of labels, of a new space.

    Who was not in the earlier fit is taken for the mean of those who were.

    Parameters
    ----------
    space
        The new space.
    data
        The earlier fit.
    """
    new = {"annotator": space.annotators}
    if space.groups is not None:
        new["group"] = space.groups.names
    found = {}
    for name, variable in data["posterior"].data_vars.items():
        value = np.asarray(variable.to_numpy(), float)
        for axis, names in new.items():
            if axis in variable.dims:
                at = places(variable[axis].to_numpy(), names)
                value = _taken(value, variable.dims.index(axis), at)
        found[str(name)] = value
    return found


def places(
    before: Shaped[np.ndarray, " A"], now: Shaped[np.ndarray, " B"]
) -> Int[np.ndarray, " B"]:
    """Return where each name was before; -1 for those that were not there."""
    place = {str(name): number for number, name in enumerate(before)}
    return np.array([place.get(str(name), -1) for name in now])


def _taken(
    value: Float[np.ndarray, "..."], axis: int, at: Int[np.ndarray, " B"]
) -> Float[np.ndarray, "..."]:
    mean = value.mean(axis, keepdims=True)
    return np.take(np.concatenate([value, mean], axis), at, axis)
