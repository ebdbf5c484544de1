"""A space laid out for a model, if the model fits in memory there."""

from dataclasses import replace
from typing import Any

import jax

from consilience.model.contract import (
    AnnotatorModel,
    LaidOutModel,
    SampledModel,
    check_tables,
    takes_columns,
)
from consilience.truth import ChoiceSpace, Observations, Space, observe
from consilience.truth.covariates import no_covariates


def lay_out(
    model: AnnotatorModel[Any], space: Space, *, simulating: bool = False
) -> Observations:
    """Return the observations as the model needs them."""
    check_tables(model, space)
    if isinstance(space, ChoiceSpace) and not takes_columns(model):
        space = replace(space, covariates=no_covariates(space.num_units, 0))
    per_answer = model.per_answer or simulating
    if not isinstance(model, LaidOutModel):
        return observe(space, per_answer=per_answer)
    layout = model.layout(space, model.prior)
    observations = observe(space, per_answer=per_answer, tables=False)
    return replace(observations, layout=layout)


def prepared(model: AnnotatorModel[Any], observations: Observations) -> Observations:
    """Return the observations with what the model computes from them once."""
    if not isinstance(model, SampledModel) or not model.follows_data:
        return observations
    prepared = jax.jit(model.prepare, static_argnums=1)(observations, model.prior)
    return replace(observations, prepared=prepared)
