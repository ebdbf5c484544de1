"""Draws of an earlier fit, laid out for the annotators of a new study, by name."""

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Shaped

from consilience.responses import Responses
from consilience.truth import ANONYMOUS, ContainsSpace, Space

DRAWS = 100  # of the earlier fit that are looked at, evenly taken


def align_draws(
    space: Space, data: xr.DataTree
) -> dict[str, Shaped[np.ndarray, "chain draw ..."]]:
    """Return the draws with the annotators, and groups, of a new space.

    Who was not in the earlier fit is taken for the mean of those who were.
    """
    new = {"annotator": space.annotators}
    if isinstance(space, ContainsSpace) and len(space.groups.names):
        new["group"] = space.groups.names
    if len(space.annotator_groups.names):
        new["annotator_group"] = space.annotator_groups.names
    draws = {}
    for name, variable in data["posterior"].data_vars.items():
        value = np.asarray(variable.to_numpy(), float)
        for axis, names in new.items():
            if axis in variable.dims:
                at = places(variable[axis].to_numpy(), names)
                value = _take(value, variable.dims.index(axis), at)
        draws[str(name)] = value
    return draws


def familiarity(
    data: xr.DataTree, responses: Responses, contains: Responses | None = None
) -> dict[str, int | str]:
    """Say how many annotators of new responses an earlier fit has seen."""
    before = {*map(str, data["constant_data"]["annotator"].to_numpy())} - {ANONYMOUS}
    given = [each for each in (responses, contains) if each is not None]
    columns = [each.table["annotator"].cat.categories for each in given]
    now = {str(name) for names in columns for name in names}
    learned = data["posterior"].data_vars.values()
    each_has_own = any("annotator" in variable.dims for variable in learned)
    if not before or not (now or each_has_own):
        return {}
    number = len(before & now)
    who = (
        f"none of the {len(now):,} annotators of these responses was in the earlier fit"
        if now
        else "these responses name no annotator"
    )
    warning = (
        f"{who}: each answer is weighed as that of the average annotator of the "
        "earlier fit, and nothing shows whether those who gave them are alike; use the "
        "names of the earlier fit, or fit these responses by themselves"
    )
    return {
        "familiar_annotators": number,
        "warning": "" if number else warning,
    }


def places(
    before: Shaped[np.ndarray, " A"], now: Shaped[np.ndarray, " B"]
) -> Int[np.ndarray, " B"]:
    """Return where each name was before; -1 for those that were not there."""
    place = {str(name): number for number, name in enumerate(before)}
    return np.array([place.get(str(name), -1) for name in now])


def _take(
    value: Float[np.ndarray, "..."], axis: int, at: Int[np.ndarray, " B"]
) -> Float[np.ndarray, "..."]:
    mean = value.mean(axis, keepdims=True)
    return np.take(np.concatenate([value, mean], axis), at, axis)
