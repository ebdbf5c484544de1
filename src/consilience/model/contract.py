"""What engines, checks and analyses may ask of a model.

A model says how its parameters are drawn and how likely the answers are given them, and
there are two ways to say either:

- its parameters have closed-form updates (`ClosedFormModel`), or a program of its own
  samples them (`SampledModel`);
- its answers have an emission (`EmissionModel`), or it gives the score itself.

The classes here are what users of a model ask for. A model's file makes a record of one
of the classes of `model.records`, each of which is a choice of both.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from consilience.errors import TooLargeError
from consilience.model.emission import Emission
from consilience.truth import Space, check_lists, check_size

# By name; arrays of NumPy where a closed form has them, of JAX elsewhere.
type Parameters = Mapping[str, Any]
NOTHING = "nothing"  # metadata of a setting of a prior that may be 0: what it does then
PREVALENCE, WEIGHT = "prevalence", "weight"
# Axes of what is reported beside a model's own parameters.
DIMS: Mapping[str, tuple[str, ...]] = {
    WEIGHT: ("covariate",),
    "relative_information": (),
    "mean_prior": ("true_class",),
}


@runtime_checkable
class Coding(Protocol):
    """How many annotators, states and answers there are, and what answers vote for.

    All that the priors of a model of tables and its emission may look at:
    `truth.ResponseMatrix` has it as arrays of NumPy, `truth.Observations` of JAX.
    """

    @property
    def num_annotators(self) -> int:
        """J, the number of annotators."""

    @property
    def group(self) -> Any:
        """The group of each annotator (J)."""

    @property
    def num_groups(self) -> int:
        """G, the number of groups of annotators."""

    @property
    def num_states(self) -> int:
        """K, the number of states."""

    @property
    def num_answers(self) -> int:
        """L, the number of answer words."""

    @property
    def votes(self) -> Any:
        """How far each answer word is a vote for each state."""


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """A Dirichlet prior on one or more probability vectors."""

    concentration: Any
    shape: tuple[int, ...]
    hyperprior_weight: float | None = None


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal prior on one or more numbers, independent, with mean zero."""

    scale: float
    shape: tuple[int, ...]


@runtime_checkable
class HasPriors(Protocol):
    """A model with parameters that have Dirichlet priors, given the truth."""

    def priors(self, coding: Coding) -> Mapping[str, Dirichlet]:
        """Return the Dirichlet priors of the parameters by name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Method[P]:
    """What every file of `annotators` states."""

    prior: P
    dims: Mapping[str, tuple[str, ...]]
    engines: tuple[str, ...]
    references: tuple[str, ...]
    kinds: tuple[str, ...] = ("choice", "contains")


def one_substate(prior: Any) -> int:
    """Return that states are not split."""
    del prior
    return 1


def nothing_derived(observations: Any, parameters: Parameters) -> Parameters:
    """Return no further quantities."""
    del observations, parameters
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class AnnotatorModel[P](Method[P], ABC):
    """A model of annotators, which engines fit.

    Attributes
    ----------
    prior, dims, engines, references, kinds
        What every file of `annotators` states: the prior settings, the axes of the
        parameters, the engines (the best first), the sources, and the kinds of
        responses that are accepted.
    derived : callable
        Quantities that follow from the parameters and are reported with them, by name.
        The confusion of each annotator is derived from an emission by tables if it is
        not among them; one confusion that all annotators share is given here.
    substates : callable
        Number of substates into which the score splits each state, given the prior: for
        example subtypes of a class, or quadrature nodes. They are adjacent columns of
        the score, and are summed for the posterior of the truth.
    states : int
        Default number of states of a label's presence (contains).

    See Also
    --------
    consilience.annotators.load : Load a model by its name.

    Examples
    --------
    >>> from consilience import annotators
    >>> model = annotators.load("hierarchical_dawid_skene")
    >>> model.dims["confusion"]
    ('annotator', 'true_class', 'given_class')
    """

    derived: Callable[[Any, Parameters], Parameters] = nothing_derived
    substates: Callable[[P], int] = one_substate
    states: int = 2

    @property
    def whole_items(self) -> bool:
        """Whether the units of an item are modelled together."""
        return False

    @property
    def of_classes(self) -> bool:
        """Whether items are modelled with the others of their class."""
        return False

    @abstractmethod
    def sample(self, observations: Any) -> Parameters:
        """Sample the parameters, inside a NumPyro program."""

    @abstractmethod
    def score(self, observations: Any, parameters: Parameters) -> Any:
        """Return log p(state, the unit's answers | parameters) (U, M).

        There is a column for each listed state, or one for each of its substates.
        Summed over all answers that could have been given, its exponential is the prior
        of the state; a test holds every model to that.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosedFormModel[P](AnnotatorModel[P]):
    """A model whose parameters have closed-form updates, which `em` and `vb` use.

    They have if the score takes the logarithms of the parameters unchanged: linear in
    them, or a log of sums of exponentials of such. (A NumPyro distribution that
    normalizes its logits does not.)
    """

    @abstractmethod
    def priors(self, coding: Coding) -> Mapping[str, Dirichlet]:
        """Return the Dirichlet priors of the parameters by name."""

    def normals(self, observations: Any) -> Mapping[str, Normal]:
        """Return the priors of the parameters that are free numbers; often none."""
        del observations
        return {}

    def sample(self, observations: Any) -> Parameters:
        """Sample the parameters from their priors."""
        from consilience.model.program import sample_priors

        return sample_priors(self.priors(observations), self.normals(observations))


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledModel[P](AnnotatorModel[P]):
    """A model whose parameters are sampled by a program of its own."""

    parameters: Callable[[Any, P], Parameters]

    def sample(self, observations: Any) -> Parameters:
        """Sample the parameters by the program."""
        return self.parameters(observations, self.prior)


@dataclass(frozen=True, kw_only=True, eq=False)
class EmissionModel[P](AnnotatorModel[P]):
    """A model of how each answer looks, given the state."""

    emission: Callable[[Any, Parameters], Emission]

    def score(self, observations: Any, parameters: Parameters) -> Any:
        """Return the prior of the state times the likelihood by the emission."""
        from consilience.model.summed import log_prior

        emission = self.emission(observations, parameters)
        likelihood = emission.log_likelihood(observations)
        power = observations.power[:, None]
        return log_prior(observations, parameters, emission) + power * likelihood


@dataclass(frozen=True, kw_only=True, eq=False)
class LaidOutModel[P](AnnotatorModel[P]):
    """A model that lays the answers out in a form of its own."""

    layout: Callable[[Any, P], Any]


def takes_columns(model: AnnotatorModel[Any]) -> bool:
    """Return whether the model has a prevalence, which columns can add to."""
    return PREVALENCE in model.dims


def num_substates(model: AnnotatorModel[Any]) -> int:
    """Return into how many states the score splits each listed one."""
    return model.substates(model.prior)


def closed_priors(
    model: HasPriors, coding: Coding, *, columns: bool
) -> Mapping[str, Dirichlet]:
    """Return the Dirichlet priors of what has a closed form, given the truth."""
    priors = dict(model.priors(coding))
    if columns:
        priors.pop(PREVALENCE, None)
    return priors


def imagined_units(model: HasPriors, coding: Coding) -> np.ndarray:
    """Return how many units of each state the prior of the prevalence imagines (K,)."""
    priors = model.priors(coding)
    if PREVALENCE not in priors:
        return np.ones(coding.num_states)
    prior = priors[PREVALENCE]
    return np.broadcast_to(np.asarray(prior.concentration), prior.shape)


def check_tables(model: AnnotatorModel[Any], space: Space) -> None:
    """Refuse a model whose tables of answers would not fit in memory."""
    cells = {"true_class", "given_class"}
    tables = [axes for axes in model.dims.values() if cells <= set(axes)]
    states, answers = len(space.states), len(space.answers)
    for axes in tables:
        annotators = space.num_annotators if "annotator" in axes else 1
        check_size(annotators, states, answers)
    if tables:
        check_lists(space.num_units, states)


def fits_in_memory(model: AnnotatorModel[Any], space: Space) -> bool:
    """Return whether the model's tables of answers would fit in memory."""
    try:
        check_tables(model, space)
    except TooLargeError:
        return False
    return True
