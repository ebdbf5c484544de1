"""What a program may look at and returns, and who runs it without drawing.

A program samples parameters in the words of `model.language`, and returns how the truth
and the answers are distributed given them (`Answers`). Who runs it decides what
`sample` gives: `Listed` lists the parameters, `Given` passes values in.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

from consilience.model.language import Gamma, LogDirichlet, sized
from consilience.model.rows import RowEffects

TINY = 1e-300  # of a probability drawn from a Dirichlet


def stack_chains(
    values: Shaped[np.ndarray, "chain draw ..."],
) -> Shaped[np.ndarray, "..."]:
    """Return the draws of all chains, one behind the other; also where they are empty.

    A parameter has no numbers where a study lacks the columns that it weighs.
    """
    chains, draws, *rest = values.shape
    return values.reshape(chains * draws, *rest)


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
