"""A space laid out for a model, if the model fits in memory there."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from scipy.sparse import csr_array

from consilience.model.contract import (
    Model,
    check_tables,
    takes_columns,
)
from consilience.truth import ChoiceSpace, Observations, Shortlists, Space, observe
from consilience.truth.arrays import incidence, pytree
from consilience.truth.space import no_covariates

pytree()(Shortlists)


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
    if isinstance(layout, Shortlists):
        layout = jax.tree.map(_for_jax, layout, is_leaf=_is_sparse)
    observations = observe(space, tables=False, one_by_one=simulating)
    return replace(observations, layout=layout)


def _is_sparse(leaf: Any) -> bool:
    return isinstance(leaf, csr_array)


def _for_jax(leaf: Any) -> Any:
    """Return an array of JAX, or in place of a sparse one a matrix with slopes."""
    if not isinstance(leaf, csr_array):
        return jnp.asarray(leaf)
    entries = leaf.tocoo()
    weight = None if (entries.data == 1).all() else entries.data
    return incidence(entries.row, entries.col, weight, leaf.shape)
