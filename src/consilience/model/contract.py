"""The record that a model's file makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from consilience.model.emission import Emission
from consilience.responses import Responses
from consilience.truth import Space

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
    held
        None where the concentration is fixed. Else it is learned from all vectors that
        share it, held at its start with the weight of this many vectors.
    """

    concentration: Any
    shape: tuple[int, ...]
    held: float | None = None


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
    """One model: a record made by a file of `annotators`.

    Attributes
    ----------
    prior
        Hyperparameters, a frozen record.
    dims
        Axes of each parameter by name, for the coordinates of the posterior.
    engines
        Names of the engines that can fit it, the best first.
    references
        Who proposed it: author, year, section.
    dirichlet
        The parameters' Dirichlet priors by name, among them `prevalence`; gives the
        model the closed forms of `em` and `vb`, if the score takes the logarithms as
        they are: linear in them, or a log of sums of exponentials of such. (A NumPyro
        distribution that normalises its logits does not.) None where priors are others.
    normal
        Priors of further parameters that are free numbers, by name; they are passed as
        they are. `em` and `vb` climb them by Newton steps, for which the log of the
        likelihood of a state must be concave in them.
    layout
        Arrays that depend on the data alone, laid out on the host before anything is
        compiled; found in `observations.own`. Such a model needs no table of the
        answers of each annotator, and none is laid out for it.
    parameters
        A NumPyro program that samples the parameters and returns them as the emission
        wants them; of a model without Dirichlet priors, so that all engines of a model
        take one prior. None: sampled from the Dirichlet priors.
    prepare
        Arrays that depend on the data alone, computed once before sampling; the program
        finds them in `observations.prepared`, or None there when it is to draw from the
        prior.
    emission
        How answers look under each state, given parameters.
    own_score
        In the emission's stead: log p(state, answers) itself.
    own_likelihood
        The log-likelihood of each unit (its share, of units that are looked at
        together), where that can be had for less than by the score. It takes
        `observations.log_prior` as the score does.
    own_simulation
        Draws answers; owed by a model with a score of its own.
    fresh
        What an annotator that has not been seen answers in each column of the score,
        for each group of labels (one where there are none); owed by a model of contains
        with a score of its own.
    derived
        Quantities that follow from the parameters and are reported with them, by name:
        the confusion of a model with a score of its own, say, with what was integrated
        out averaged over. Where the emission is a confusion it is derived unasked.
    per_answer
        Whether the emission looks at each answer on its own.
    whole_items
        Whether units of one item are looked at together: then none is merged with
        others, or looked at without those of its item. Its score is each unit's log
        posterior, and its share of the log-likelihood of the item.
    finer
        Into how many states of its own a score splits each listed state, given the
        prior: subtypes of a class, say, or nodes of a quadrature. They are adjacent
        columns of the score, and summed when the truth is asked for. None: one.
    kinds
        Kinds of responses that it takes.
    rule
        In the stead of all this: the tables of a run by name, straight from the
        responses, for a rule that has no likelihood. Its one engine is "rule".
    states
        States of a label's presence (contains) where none are asked for.
    """

    prior: P
    dims: Mapping[str, tuple[str, ...]]
    engines: tuple[str, ...]
    references: tuple[str, ...]
    dirichlet: Callable[[Coding, P], Mapping[str, Dirichlet]] | None = None
    normal: Callable[[Any, P], Mapping[str, Normal]] | None = None
    layout: Callable[[Space, P], Any] | None = None
    parameters: Callable[[Any, P], Parameters] | None = None
    prepare: Callable[[Any, P], Any] | None = None
    emission: Callable[[Any, Parameters], Emission] | None = None
    own_score: Callable[[Any, Parameters], Any] | None = None
    own_likelihood: Callable[[Any, Parameters], Any] | None = None
    own_simulation: Callable[[Any, Any, Parameters], Any] | None = None
    fresh: Callable[[Parameters], Any] | None = None
    derived: Callable[[Any, Parameters], Parameters] | None = None
    per_answer: bool = False
    whole_items: bool = False
    finer: Callable[[P], int] | None = None
    kinds: tuple[str, ...] = ("choice", "contains")
    rule: Callable[[Responses], Mapping[str, pd.DataFrame]] | None = None
    states: int = 2
