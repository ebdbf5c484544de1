"""A space laid out for a model, if the model fits in memory there."""

from dataclasses import replace
from typing import Any

from consilience.model.contract import (
    Model,
    check_tables,
    takes_columns,
)
from consilience.truth import ChoiceSpace, Observations, Space, observe
from consilience.truth.space import no_covariates


def lay_out(
    model: Model[Any], space: Space, *, simulating: bool = False
) -> Observations:
    """Return the observations as the model needs them."""
    check_tables(model, space)
    if isinstance(space, ChoiceSpace) and not takes_columns(model):
        space = replace(space, covariates=no_covariates(space.num_units, 0))
    if model.layout is None:
        return observe(space, one_by_one=simulating)
    layout = model.layout(space, model.prior)
    observations = observe(space, tables=False, one_by_one=simulating)
    return replace(observations, layout=layout)
