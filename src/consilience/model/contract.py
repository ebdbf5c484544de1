"""The record that a model's file makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from consilience.model.emission import Emission
from consilience.responses import Responses

# By name; arrays of NumPy where a closed form has them, of JAX elsewhere.
type Parameters = Mapping[str, Any]

NOTHING = "nothing"  # metadata of a setting of a prior that may be 0: what it does then


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
    """A Dirichlet prior on one or more probability vectors.

    Attributes
    ----------
    concentration
        Imagined counts; the last axis is the vector's, leading axes broadcast.
    shape
        Shape of the parameter, the vector's axis last.
    hyperprior_weight
        None where the concentration is fixed. Else it is learned from all vectors that
        share it, held at its start with the weight of this many vectors.
    """

    concentration: Any
    shape: tuple[int, ...]
    hyperprior_weight: float | None = None


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal prior on one or more numbers, independent, with mean zero.

    Attributes
    ----------
    scale
        Standard deviation.
    shape
        Shape of the parameter.
    """

    scale: float
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnotatorModel[P]:
    """An annotator model: the record that each file of `annotators` makes.

    Attributes
    ----------
    prior : dataclass
        Hyperparameters, a frozen record.
    dims : mapping of str to tuple of str
        Axes of each parameter by name, for the coordinates of the posterior.
    engines : tuple of str
        Names of the engines that can fit the model, the best first.
    references : tuple of str
        Sources of the model: author, year, section.
    dirichlet : callable, optional
        Dirichlet priors of the parameters by name, among them `prevalence`. They give
        the model the closed-form updates of `em` and `vb`, if the score takes the
        logarithms unchanged: linear in them, or a log of sums of exponentials of such.
        (A NumPyro distribution that normalizes its logits does not.) None for other
        priors.
    normal : callable, optional
        Normal priors of further, unconstrained parameters, by name; they are passed
        unchanged. `em` and `vb` update them by Newton steps, for which the log
        likelihood of a state must be concave in them.
    layout : callable, optional
        Arrays that depend on the data only, computed on the host before anything is
        compiled; available as `observations.layout`. Such a model needs no table of the
        answers of each annotator, and none is built for it.
    parameters : callable, optional
        A NumPyro program that samples the parameters and returns them in the form that
        the emission needs, for a model without Dirichlet priors, so that all engines of
        a model use one prior. None: sampled from the Dirichlet priors.
    prepare : callable, optional
        Arrays that depend on the data only, computed once before sampling. The program
        finds them in `observations.prepared`, which is None when it draws from the
        prior.
    emission : callable, optional
        Distribution of answers in each state, given the parameters.
    log_joint : callable, optional
        Replaces the emission: log p(state, answers) itself.
    log_likelihood : callable, optional
        Log-likelihood of each unit (its share, for units that are modelled together),
        where it is cheaper to compute than from the score. It uses
        `observations.log_prior` as the score does.
    simulate_answers : callable, optional
        Draws answers; required of a model with `log_joint`.
    new_annotator : callable, optional
        Distribution of the answers of a new annotator in each column of the score, for
        each group of labels (one if there are none); required of a model of contains
        with `log_joint`.
    derived : callable, optional
        Quantities that follow from the parameters and are reported with them, by name:
        for example the confusion of a model with `log_joint`, with integrated variables
        averaged out. Where the emission is a confusion it is derived by default.
    per_answer : bool
        Whether the emission depends on each answer separately.
    whole_items : bool
        Whether the units of an item are modelled together. Then none is merged with
        others, or used without those of its item. The score is the log posterior of
        each unit plus its share of the log-likelihood of the item.
    substates : callable, optional
        Number of substates into which a score splits each state, given the prior: for
        example subtypes of a class, or quadrature nodes. They are adjacent columns of
        the score, and are summed for the posterior of the truth. None: one.
    kinds : tuple of str
        Kinds of responses that the model accepts.
    heuristic : callable, optional
        Replaces all of the above for a heuristic without a likelihood: returns the
        tables of a run by name, computed from the responses. Its only engine is "rule".
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

    prior: P
    dims: Mapping[str, tuple[str, ...]]
    engines: tuple[str, ...]
    references: tuple[str, ...]
    dirichlet: Callable[[Coding, P], Mapping[str, Dirichlet]] | None = None
    normal: Callable[[Any, P], Mapping[str, Normal]] | None = None
    layout: Callable[[Any, P], Any] | None = None
    parameters: Callable[[Any, P], Parameters] | None = None
    prepare: Callable[[Any, P], Any] | None = None
    emission: Callable[[Any, Parameters], Emission] | None = None
    log_joint: Callable[[Any, Parameters], Any] | None = None
    log_likelihood: Callable[[Any, Parameters], Any] | None = None
    simulate_answers: Callable[[Any, Any, Parameters], Any] | None = None
    new_annotator: Callable[[Parameters], Any] | None = None
    derived: Callable[[Any, Parameters], Parameters] | None = None
    per_answer: bool = False
    whole_items: bool = False
    substates: Callable[[P], int] | None = None
    kinds: tuple[str, ...] = ("choice", "contains")
    heuristic: Callable[[Responses], Mapping[str, pd.DataFrame]] | None = None
    states: int = 2
