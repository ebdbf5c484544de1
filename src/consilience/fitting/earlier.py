"""An earlier fit in a new study: annotators and groups matched, draws put in again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.errors import OptionError
from consilience.fitting.annotator_table import NO_GROUP
from consilience.inference.result import Result, of_draws
from consilience.model import Model, thin
from consilience.posterior.spaces import annotator_groups, coordinates
from consilience.posterior.truth import Tempering
from consilience.responses import Responses
from consilience.truth import ANONYMOUS, ChoiceSpace, ContainsSpace, Space
from consilience.truth.space import UNLISTED, Groups, no_groups
from consilience.when_used import xr

type Reader = Callable[[Mapping[str, Any]], tuple[Any, Any, Mapping[str, Any]]]
DRAWS = 100  # of the earlier fit that are looked at, evenly taken
MOST_KEPT = 40  # draws of each chain of a model beside the one that is reported


def aligned_space(space: Space, data: xr.DataTree) -> Space:
    """Return the space with groups and covariates as the earlier fit had them."""
    if isinstance(space, ContainsSpace):
        in_groups = "group" in data["posterior"].coords
        if in_groups and not len(space.groups.names):
            groups = replace(space.groups, names=np.array([""], object))
            space = replace(space, groups=groups)
    elif not isinstance(space, ChoiceSpace):
        return space
    covariates = space.covariates
    if not covariates.names:
        return space
    constant, learned = data["constant_data"], data["posterior"]
    before = learned["covariate"].to_numpy() if "covariate" in learned.coords else ()
    names = tuple(map(str, before))
    if names == (*covariates.names, UNLISTED):
        covariates = covariates.with_unlisted(np.zeros(covariates.observed.shape, bool))
    if names != covariates.names:
        raise OptionError(
            f"candidates have the columns {', '.join(covariates.names)}; the "
            f"earlier fit had {', '.join(names) or 'none'}: give the same"
        )
    moved = covariates.measured_by(
        constant["covariate_centre"].to_numpy(), constant["covariate_spread"].to_numpy()
    )
    return replace(space, covariates=moved)


def with_annotator_groups(space: Space, data: xr.DataTree) -> Space:
    """Return the space with the groups that its annotators had in the earlier fit."""
    before, now = annotator_groups(data), space.annotator_groups
    if not len(before.names):
        return replace(space, annotator_groups=no_groups(space.num_annotators))
    place = places(data["constant_data"]["annotator"].to_numpy(), space.annotators)
    given = now.names if len(now.names) else np.array([NO_GROUP], object)
    group = np.where(place >= 0, before.names[before.code[place]], given[now.code])
    names = np.array([*dict.fromkeys([*before.names, *sorted(set(group))])], object)
    code = places(names, group).astype(np.int32)
    return replace(space, annotator_groups=Groups(code, names))


def result_of(
    read: Reader,
    values: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    prob: float,
) -> Result:
    """Return the result of some draws, evenly taken, each put into the new study."""
    kept, beliefs, likelihoods = [], [], []
    for draw in thin(values, DRAWS):
        truth, likelihood, more = read(draw)
        beliefs.append(np.asarray(truth))
        likelihoods.append(np.asarray(likelihood))
        kept.append({**draw, **{name: np.asarray(v) for name, v in more.items()}})
    parameters = {
        name: np.stack([each[name] for each in kept])[None] for name in kept[0]
    }
    drawn, likelihood = np.stack(beliefs)[None], np.stack(likelihoods)[None]
    return of_draws(parameters, drawn, likelihood, prob)


def few_draws(
    model: Model[Any], space: Space, result: Result, tempering: Tempering | None
) -> xr.Dataset:
    """Return some draws of a model, evenly taken, as a group of another fit."""
    axes, values = model.dims(space), {}
    for name, value in result.parameters.items():
        some = np.unique(np.linspace(0, value.shape[1] - 1, MOST_KEPT).astype(int))
        dims = ("chain", "draw", *axes[name])
        values[name] = (dims, value[:, some].astype(np.float32))
    along = coordinates(space)
    used = {axis for dims, _ in values.values() for axis in dims} & along.keys()
    residual = {
        f"residual_{name}": getattr(tempering, name, np.nan)
        for name in ("correlation", "z", "common")
    }
    return xr.Dataset(values, {axis: along[axis] for axis in sorted(used)}, residual)


def align_draws(
    space: Space, learned: xr.Dataset
) -> dict[str, Shaped[np.ndarray, "chain draw ..."]]:
    """Return draws, of a group of a fit, with the annotators of a new space."""
    return {
        str(name): _aligned(space, variable)
        for name, variable in learned.data_vars.items()
    }


def _aligned(
    space: Space, variable: xr.DataArray
) -> Float[np.ndarray, "chain draw ..."]:
    """Return draws of a parameter for a new space."""
    new = {"annotator": space.annotators}
    new["annotator_group"] = space.annotator_groups.names
    if isinstance(space, ContainsSpace):
        new["group"] = space.groups.names
    value = np.asarray(variable.to_numpy(), float)
    for axis, dim in enumerate(variable.dims):
        if len(new.get(str(dim), ())):
            at = places(variable[dim].to_numpy(), new[str(dim)])
            mean = value.mean(axis, keepdims=True)
            value = np.take(np.concatenate([value, mean], axis), at, axis)
    return value


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
    return {"familiar_annotators": number, "warning": "" if number else warning}


def places(
    before: Shaped[np.ndarray, " A"], now: Shaped[np.ndarray, " B"]
) -> Int[np.ndarray, " B"]:
    """Return where each name was before; -1 for those that were not there."""
    return pd.Index(before.astype(str)).get_indexer(pd.Index(now.astype(str)))
