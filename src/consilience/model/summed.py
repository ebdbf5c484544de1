r"""The truth summed out, and answers laid out in the form that a model needs.

Without columns the prior is the prevalence times the weight of the entry, not divided
(`truth.candidates` says why).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float
from scipy.sparse import csr_array

from consilience.model.by_tables import ByTables
from consilience.model.columns import SPREAD, log_prior_of_truth, told_by_columns
from consilience.model.contract import PREVALENCE, WEIGHT, Answers, Parameters
from consilience.model.kinds import Model, check_tables, num_substates, takes_columns
from consilience.model.on_shortlists import Shortlists
from consilience.truth import ChoiceSpace, Observations, Space, observe
from consilience.truth.arrays import AnyArray, incidence, pytree
from consilience.truth.space import no_covariates


class Ran(NamedTuple):
    """A program that was run: the answers, the weights of columns, and what is known.

    `reported` are quantities that follow from the parameters, by name, `sampled` the
    names of all that the program reports by itself, and `share_confusion` as of a
    model.
    """

    answers: Answers
    weight: Float[Array, " P"] | None = None
    reported: Mapping[str, Callable[[], Any]] = MappingProxyType({})
    sampled: frozenset[str] = frozenset()
    share_confusion: bool = False


def marginal(scores: Float[Array, "U M"]) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), the truth summed out."""
    return logsumexp(scores, axis=-1)


def score(ran: Ran, observations: Observations) -> Float[AnyArray, "U M"]:
    """Return log p(state, the unit's answers | parameters)."""
    prevalence = ran.answers.log_prevalence
    log_prior = log_prior_of_truth(observations, prevalence, ran.weight)
    return ran.answers.log_joint(observations, log_prior)


def log_likelihood(
    ran: Ran,
    observations: Observations,
    substates: int,
    evidence: Float[Array, "U S"] | None = None,
) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), of a score that is not needed."""
    if isinstance(ran.answers, LaidOutAnswers):
        if evidence is not None:
            log_prior_and_evidence = observations.log_prior + evidence
            observations = replace(observations, log_prior=log_prior_and_evidence)
        return ran.answers.log_likelihood(observations)
    scores = score(ran, observations)
    if evidence is not None:
        scores += jnp.repeat(evidence, substates, axis=1)
    return marginal(scores)


def belief(scores: Float[Array, "U M"]) -> Float[Array, "U M"]:
    """Return the posterior of each unit's state, given parameters."""
    return softmax(scores, axis=-1)


def posterior_of_truth(
    model: Model[Any], beliefs: Float[Array, "U M"]
) -> Float[Array, "U S"]:
    """Return the posterior of the truth: that of all states that share it."""
    split = num_substates(model)
    return beliefs.reshape(len(beliefs), -1, split).sum(-1)


def derived(ran: Ran, observations: Observations) -> dict[str, Any]:
    """Return what follows from the parameters and is reported with them, by name.

    Of answers by tables, the confusion of each annotator is among them.
    """
    quantities = {name: value() for name, value in ran.reported.items()}
    if isinstance(ran.answers, LaidOutAnswers):
        arithmetic, parameters = ran.answers.arithmetic, ran.answers.parameters
        return {**quantities, **arithmetic.derived(observations, parameters)}
    if isinstance(ran.answers, ByTables):
        quantities |= ran.answers.derived(
            observations.num_annotators,
            {*ran.sampled, *quantities},
            share_confusion=ran.share_confusion,
        )
    if observations.has_covariates and ran.answers.log_prevalence is not None:
        logit = {PREVALENCE: ran.answers.log_prevalence, WEIGHT: ran.weight}
        quantities |= told_by_columns(observations, logit, ran.answers)
    return quantities


def sample_weights(observations: Observations) -> Float[Array, " P"] | None:
    """Sample the weights of columns beside the model's own parameters, if there are."""
    if not observations.has_covariates:
        return None
    number = observations.prior_covariates.value.shape[2]
    wide = dist.Normal(jnp.zeros(number), SPREAD).to_event(1)
    return numpyro.sample(WEIGHT, wide)


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
        layout = jax.tree.map(
            _for_jax, layout, is_leaf=lambda leaf: isinstance(leaf, csr_array)
        )
    observations = observe(space, tables=False, one_by_one=simulating)
    return replace(observations, layout=layout)


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
    `derived` is what is reported beside the parameters; `simulate` draws truths and
    answers, by a key; `new_annotator` is p(answer) of an annotator drawn at random (G,
    M, L), of the parameters alone; and `log_likelihood` that of the unit (U), where
    there is a quicker way than to sum the score.
    """

    score: Callable[..., Any]
    derived: Callable[..., Parameters]
    simulate: Callable[..., Any]
    new_annotator: Callable[..., Any] | None = None
    log_likelihood: Callable[..., Any] | None = None


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
        quick = self.arithmetic.log_likelihood
        if quick is None:
            return marginal(self.arithmetic.score(data, self.parameters))
        return quick(data, self.parameters)

    def new_annotator(self) -> Any:
        """Return what anyone would answer; None where that is not known."""
        fresh = self.arithmetic.new_annotator
        return None if fresh is None else fresh(self.parameters)
