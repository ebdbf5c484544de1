"""Answers laid out for a model: as all have them, or in a form of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from scipy.sparse import csr_array

from consilience.model.contract import (
    Model,
    Parameters,
    check_tables,
    takes_columns,
)
from consilience.model.on_shortlists import Shortlists
from consilience.truth import ChoiceSpace, Observations, Space, observe
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


class Arithmetic(NamedTuple):
    """What such a model computes, mostly of the data and the parameters.

    `score` is log p(state, the unit's answers) (U, M), with the prior of the data;
    `log_likelihood` that of the unit (U), the truth summed out; `derived` is what is
    reported beside the parameters; `simulate` draws truths and answers, by a key; and
    `new_annotator` is p(answer) of an annotator drawn at random (G, M, L), of the
    parameters alone.
    """

    score: Callable[..., Any]
    log_likelihood: Callable[..., Any]
    derived: Callable[..., Parameters]
    simulate: Callable[..., Any]
    new_annotator: Callable[..., Any] | None = None


@pytree("arithmetic")
@dataclass(frozen=True, slots=True)
class LaidOutAnswers:
    """Answers given the parameters, by arithmetic of the model's own."""

    parameters: Parameters
    arithmetic: Arithmetic
    log_prevalence: ClassVar[None] = None

    def log_joint(self, data: Any, log_prior: Any) -> Any:
        """Return log p(state, the unit's answers | parameters)."""
        del log_prior  # that of the data
        return self.arithmetic.score(data, self.parameters)

    def log_likelihood(self, data: Any) -> Any:
        """Return log p(the unit's answers | parameters)."""
        return self.arithmetic.log_likelihood(data, self.parameters)

    def derived(self, data: Any) -> Parameters:
        """Return what follows from the parameters and is reported with them."""
        return self.arithmetic.derived(data, self.parameters)

    def simulate(self, key: Any, data: Any) -> Any:
        """Draw truths and answers: a `Simulated`."""
        return self.arithmetic.simulate(key, data, self.parameters)

    def new_annotator(self) -> Any:
        """Return what anyone would answer; None where that is not known."""
        fresh = self.arithmetic.new_annotator
        return None if fresh is None else fresh(self.parameters)
