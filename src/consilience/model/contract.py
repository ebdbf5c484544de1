"""What a model is: a program, its prior settings, and what it accepts.

A model's file states one `Model`. Its program samples the parameters in the words of
`model.language`, and returns how the truth and the answers are distributed given them
(`Answers`). Engines run it: who runs it decides what `sample` gives.

Which engines a program serves follows from what it samples. If all of it are vectors
with Dirichlet priors, there are closed forms (`em`, `vb`); if rows are moved by effects
of the annotator, Gibbs sampling; every program serves `nuts`, `svi`, and `em` along the
gradient. A rule without a likelihood has no program.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from consilience.errors import FitError, OptionError
from consilience.model.language import Gamma, LogDirichlet, Normal, run_by, sized
from consilience.model.rows import RowEffects
from consilience.responses import Responses
from consilience.truth import Space, check_lists, check_size

TINY = 1e-300  # of a probability drawn from a Dirichlet


def stack_chains(
    values: Shaped[np.ndarray, "chain draw ..."],
) -> Shaped[np.ndarray, "..."]:
    """Return the draws of all chains, one behind the other; also where they are empty.

    A parameter has no numbers where a study lacks the columns that it weighs.
    """
    chains, draws, *rest = values.shape
    stacked: Shaped[np.ndarray, ...] = values.reshape(chains * draws, *rest)
    return stacked


def thin(
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]], most: int
) -> Iterator[dict[str, Shaped[np.ndarray, "..."]]]:
    """Give draws of all chains, evenly spaced."""
    flat = {name: stack_chains(value) for name, value in parameters.items()}
    number = len(next(iter(flat.values())))
    for draw in np.unique(np.linspace(0, number - 1, min(number, most)).astype(int)):
        yield {name: np.asarray(value[draw], float) for name, value in flat.items()}


def logarithms(
    values: Mapping[str, Shaped[np.ndarray, "..."]], closed: Collection[str]
) -> dict[str, Float[np.ndarray, "..."]]:
    """Return one reported draw as closed forms have it."""
    return {
        name: np.log(np.maximum(value, TINY)) if name in closed else np.asarray(value)
        for name, value in values.items()
    }


# By name; arrays of NumPy where a closed form has them, of JAX elsewhere.
type Parameters = Mapping[str, Any]
NOTHING = "nothing"  # metadata of a setting of a prior that may be 0: what it does then
PREVALENCE, WEIGHT = "prevalence", "weight"
# Axes of what is reported whatever the model, unless it names others.
DIMS: Mapping[str, tuple[str, ...]] = {
    PREVALENCE: ("true_class",),
    "confusion": ("annotator", "true_class", "given_class"),
    WEIGHT: ("covariate",),
    "relative_information": (),
    "mean_prior": ("true_class",),
}
NO_LIKELIHOOD = (
    "the model is a rule without a likelihood: it neither predicts nor draws answers; "
    "take another model, such as bayesian_dawid_skene"
)


@runtime_checkable
class Coding(Protocol):
    """How many annotators, states and answers there are, and what answers vote for.

    All that the program of a model of tables may look at: a space and a
    `truth.ResponseMatrix` have it as arrays of NumPy, `truth.Observations` of JAX.
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
        """How far each answer word is a vote for each state (L, K)."""


@runtime_checkable
class Answers(Protocol):
    """How the truth and the answers are distributed, given the parameters."""

    @property
    def log_prevalence(self) -> Any:
        """Log p(state) (K); None where the score has a prior of its own."""

    def log_joint(self, data: Any, log_prior: Any) -> Any:
        """Return log p(state, the unit's answers | parameters) (U, M).

        There is a column for each listed state, or one for each of its substates, side
        by side. Summed over all answers that could have been given, its exponential is
        the prior of the state, `log_prior` (#U, S).
        """


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """A Dirichlet prior on one or more probability vectors."""

    concentration: Any
    shape: tuple[int, ...]
    hyperprior_weight: float | None = None


class Sizes(NamedTuple):
    """The sizes of a study, all that the names and axes of parameters depend on."""

    num_annotators: int
    num_groups: int
    num_states: int
    num_answers: int
    group: Any
    votes: Any

    @classmethod
    def of(cls, coding: Coding) -> "Sizes":
        """Return the sizes of a study, with votes and groups that are any."""
        annotators, answers = coding.num_annotators, coding.num_answers
        return cls(
            num_annotators=annotators,
            num_groups=coding.num_groups,
            num_states=coding.num_states,
            num_answers=answers,
            group=np.zeros(annotators, int),
            votes=np.eye(answers, coding.num_states),
        )


class Site(NamedTuple):
    """A parameter that a program samples; `prior` is what its own is learned by."""

    distribution: Any
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    prior: Gamma | None = None


@dataclass
class Listed:
    """Lists the parameters of a program.

    A hyperprior is known by what it gave: the concentration of a `LogDirichlet` that is
    the very value of a `Gamma` parameter is learned.
    """

    coding: Any
    sites: dict[str, Site] = field(default_factory=dict)
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    learned: list[tuple[Gamma, Any]] = field(default_factory=list)

    def sample(
        self,
        name: str,
        distribution: Any,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
    ) -> Any:
        """Keep a parameter."""
        if isinstance(distribution, RowEffects):
            self.sites[name] = Site(distribution, dims, ())
            return distribution.program(self.coding)
        shape = sized(self.coding, distribution.shape, dims, sizes)
        self.dims[name] = dims
        # What is listed depends on no value; a concentration is one of the priors.
        if isinstance(distribution, Gamma):
            self.sites[name] = Site(distribution, dims, shape)
            self.learned.append((distribution, distribution.mode))
            return self.learned[-1][1]
        prior = self._hyperprior(distribution)
        self.sites[name] = Site(distribution, dims, shape, prior)
        return np.broadcast_to(0.0, shape)

    def _hyperprior(self, distribution: Any) -> Gamma | None:
        if not isinstance(distribution, LogDirichlet):
            return None
        given = distribution.concentration
        return next((gamma for gamma, value in self.learned if value is given), None)

    @property
    def closed(self) -> bool:
        """Whether all are probability vectors, or what these learn their priors by."""
        sites = self.sites.values()
        hyperpriors = {id(site.prior) for site in sites if site.prior is not None}
        return bool(sites) and all(
            isinstance(site.distribution, LogDirichlet)
            or id(site.distribution) in hyperpriors
            for site in sites
        )

    def deterministic(
        self, name: str, value: Callable[[], Any], dims: tuple[str, ...]
    ) -> None:
        """Keep the axes of a quantity."""
        del value
        self.dims[name] = dims


@dataclass
class Given:
    """Passes a program the values of its parameters, as closed forms have them."""

    values: Parameters
    reported: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def sample(
        self,
        name: str,
        distribution: Any,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
    ) -> Any:
        """Return the value of a parameter."""
        del dims, sizes
        if isinstance(distribution, RowEffects):
            return distribution.at(self.values)
        if isinstance(distribution, Gamma) and name not in self.values:
            return distribution.mode  # only priors depend on it
        return self.values[name]

    def deterministic(
        self, name: str, value: Callable[[], Any], dims: tuple[str, ...]
    ) -> None:
        """Keep how a quantity is computed."""
        del dims
        self.reported[name] = value


class Rounds(NamedTuple):
    """When a rule that updates weights in turn is to stop."""

    sweeps: int = 500
    tolerance: float = 1e-10


class Applied(NamedTuple):
    """What a rule gives: the posterior of the truth, and what it learned by the way."""

    belief: Float[np.ndarray, "U S"]
    parameters: Mapping[str, Float[np.ndarray, "..."]] = MappingProxyType({})


def one_substate(prior: Any) -> int:
    """Return that states are not split."""
    del prior
    return 1


def no_program(data: Any, prior: Any) -> NoReturn:
    """Refuse to ask a rule for a likelihood."""
    del data, prior
    raise OptionError(NO_LIKELIHOOD)


@dataclass(frozen=True, kw_only=True, eq=False)
class Method[P]:
    """What every file of `annotators` states: a model, or a rule."""

    prior: P
    engines: tuple[str, ...]
    references: tuple[str, ...]
    kinds: tuple[str, ...] = ("choice", "contains")


@dataclass(frozen=True, kw_only=True, eq=False)
class Model[P](Method[P]):
    """A model of annotators, which engines fit.

    Attributes
    ----------
    name : str, optional
        Name of a model of one's own; by default that of the module of its program. A
        model of the library has the name of its file.
    program : callable
        Takes the data and the prior, samples the parameters, and returns `Answers`.
    rule : callable, optional
        In place of a program, a rule without a likelihood, which the engine `rule`
        applies: takes the space, the prior and when to stop, and returns `Applied`.
    prior
        Settings, a frozen dataclass of numbers.
    engines, references, kinds : tuple of str
        Engines that can fit it, the best first; sources; kinds of responses.
    in_numpyro : bool
        Whether the program calls NumPyro itself, so that only JAX can run it.
    layout : callable, optional
        Takes the space and the prior, and returns `data.layout`: arrays that depend on
        the responses alone, computed once.
    summed : tuple of str
        Fields of the layout that parts of a study add up, for the program to be the
        same for all.
    axes : mapping of str to tuple of str
        Axes of parameters that the program does not name; plates of NumPyro do.
    substates : callable
        Number of substates into which the score splits each state, given the prior: for
        example subtypes of a class, or quadrature nodes. They are adjacent columns of
        the score, and are summed for the posterior of the truth.
    states : int
        Default number of states of a label's presence (contains).
    whole_items : bool
        Whether the units of an item are modelled together.
    of_classes : bool
        Whether items are modelled with the others of their class.

    See Also
    --------
    consilience.annotators.load : Load a model by its name.

    Examples
    --------
    >>> from consilience import annotators
    >>> model = annotators.load("hierarchical_dawid_skene")
    >>> model.engines
    ('vb', 'nuts')
    """

    name: str = ""
    program: Callable[[Any, P], Any] = no_program
    rule: Callable[[Any, P, Rounds], Applied] | None = None
    in_numpyro: bool = False
    layout: Callable[[Any, P], Any] | None = None
    summed: tuple[str, ...] = ()
    axes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    substates: Callable[[P], int] = one_substate
    states: int = 2
    whole_items: bool = False
    of_classes: bool = False

    def listed(self, coding: Any) -> Listed:
        """Return what the program samples about a study, where NumPy can run it."""
        listed = Listed(Sizes.of(coding))
        if self.by_tables:
            with run_by(listed):
                self.program(listed.coding, self.prior)
        return listed

    def sites(self, coding: Any) -> dict[str, Site]:
        """Return the parameters that the program samples about a study."""
        with run_by(Listed(coding)) as listed:
            self.program(coding, self.prior)
        return listed.sites

    def given(self, coding: Any, values: Parameters) -> Any:
        """Return the answers by values that closed forms have, or Gibbs sampling."""
        with run_by(Given(values)):
            return self.program(coding, self.prior)

    def dims(self, coding: Any) -> Mapping[str, tuple[str, ...]]:
        """Return the axes of what is reported by name; DIMS are of every model."""
        return {**DIMS, **self.own_dims(coding)}

    def own_dims(self, coding: Any) -> Mapping[str, tuple[str, ...]]:
        """Return the axes of the model's own parameters by name."""
        sampled: Mapping[str, tuple[str, ...]] = self.listed(coding).dims
        if self.in_numpyro and self.layout is None:
            from consilience.model.in_numpyro import axes_of_plates

            sizes = Sizes.of(coding)
            sampled = axes_of_plates(partial(self.program, sizes, self.prior), sizes)
        return {**sampled, **self.axes}

    @property
    def share_confusion(self) -> bool:
        """Whether all annotators share one confusion, where it follows from tables."""
        return "annotator" not in self.axes.get("confusion", DIMS["confusion"])

    @property
    def on_host(self) -> bool:
        """Whether NumPy can run the program."""
        return not self.in_numpyro and self.rule is None

    @property
    def by_tables(self) -> bool:
        """Whether NumPy can run the program, and answers are drawn from its tables."""
        return self.on_host and self.layout is None

    def closed(self, coding: Any) -> bool:
        """Return whether all parameters have closed-form updates."""
        if self.layout is not None:
            return not self.in_numpyro  # of the program, which needs data, it is known
        return self.listed(coding).closed

    @property
    def has_rows(self) -> bool:
        """Whether rows are moved by effects of annotators, as Gibbs sampling knows."""
        return "gibbs" in self.engines

    def by_gradient(self, coding: Any) -> bool:
        """Return whether engines climb along the gradient, for want of another way."""
        return not (self.rule or self.has_rows or self.closed(coding))


@dataclass(frozen=True, kw_only=True, eq=False)
class Heuristic[P](Method[P]):
    """A rule that makes the tables of a run itself; its only engine is "rule".

    Attributes
    ----------
    prior, engines, references, kinds
        As of a `Model`; a rule has no parameters.
    tables : callable
        The tables of a run by name, computed from the responses.

    See Also
    --------
    Model : A model that engines fit.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.load("tsipras2020").kinds
    ('objects',)
    """

    tables: Callable[[Responses], Mapping[str, pd.DataFrame]]


def takes_columns(model: Method[Any]) -> bool:
    """Return whether the truth has a prior, which columns can add to."""
    if not isinstance(model, Model):
        return False
    return model.rule is None and not model.of_classes


def num_substates(model: Method[Any]) -> int:
    """Return into how many states the score splits each listed one."""
    return model.substates(model.prior) if isinstance(model, Model) else 1


def dirichlet_priors(model: Model[Any], coding: Coding) -> dict[str, Dirichlet]:
    """Return the Dirichlet priors by name."""
    return {
        name: Dirichlet(
            site.distribution.concentration,
            site.shape,
            None if site.prior is None else site.prior.rate,
        )
        for name, site in model.sites(coding).items()
        if isinstance(site.distribution, LogDirichlet)
    }


def normal_priors(model: Model[Any], coding: Coding) -> dict[str, Site]:
    """Return the parameters of closed forms that are free numbers."""
    sites = model.sites(coding)
    return {n: s for n, s in sites.items() if isinstance(s.distribution, Normal)}


def row_effects(model: Model[Any], coding: Coding) -> RowEffects:
    """Return what moves the rows of annotators."""
    sites = model.sites(coding).values()
    return next(
        site.distribution for site in sites if isinstance(site.distribution, RowEffects)
    )


def check_tables(model: Method[Any], space: Space) -> None:
    """Refuse a model whose tables of answers would not fit in memory."""
    if not isinstance(model, Model) or model.layout is not None or model.rule:
        return
    each = "annotator" in model.dims(space)["confusion"]
    states, answers = len(space.states), len(space.answers)
    check_size(space.num_annotators if each else 1, states, answers)
    check_lists(space.num_units, states)


def fits_in_memory(model: Method[Any], space: Space) -> bool:
    """Return whether the model's tables of answers would fit in memory."""
    try:
        check_tables(model, space)
    except FitError:
        return False
    return True
