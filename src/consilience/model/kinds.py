"""The kinds of models: programs in the library's words, in NumPyro's, and rules.

A model's file states one. Which engines a program serves follows from what it samples.
If all of it are vectors with Dirichlet priors, there are closed forms (`em`, `vb`); if
rows are moved by effects of the annotator, Gibbs sampling; every program serves `nuts`
and `em` along the gradient. A rule without a likelihood has no program.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import FitError, OptionError
from consilience.model.contract import (
    DIMS,
    Coding,
    Dirichlet,
    Given,
    Listed,
    Parameters,
    Site,
    Sizes,
)
from consilience.model.language import LogDirichlet, Normal, run_by
from consilience.model.rows import RowEffects
from consilience.responses import Responses
from consilience.truth import Space, check_lists, check_size

NO_LIKELIHOOD = (
    "the model is a rule without a likelihood: it neither predicts nor draws answers; "
    "take another model, such as bayesian_dawid_skene"
)


class Rounds(NamedTuple):
    """When a rule that updates weights in turn is to stop."""

    iterations: int = 500
    tolerance: float = 1e-10


class Applied(NamedTuple):
    """What a rule gives: the posterior of the truth, and what it learned by the way."""

    belief: Float[np.ndarray, "U S"]
    parameters: Mapping[str, Float[np.ndarray, "..."]] = MappingProxyType({})


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
    """A model of annotators: a program in the words of `model.language`.

    Attributes
    ----------
    name : str, optional
        Name of a model of one's own; by default that of the module of its program. A
        model of the library has the name of its file.
    program : callable
        Takes the data and the prior, samples the parameters, and returns `Answers`.
    prior
        Settings, a frozen dataclass of numbers.
    engines, references, kinds : tuple of str
        Engines that can fit it, the best first; sources; kinds of responses.
    layout : callable, optional
        Takes the space and the prior, and returns `data.layout`: arrays that depend on
        the responses alone, computed once.
    axes : mapping of str to tuple of str
        Axes of parameters that the program does not name; plates of NumPyro do.
    substates : callable
        Number of substates into which the score splits each state, given the prior: for
        example subtypes of a class, or quadrature nodes. They are adjacent columns of
        the score, and are summed for the posterior of the truth.
    states : int
        Default number of states of a label's presence (contains).

    See Also
    --------
    consilience.annotators.load : Load a model by its name.
    NumPyroModel : A model whose program calls NumPyro.
    Rule : A rule without a likelihood.

    Examples
    --------
    >>> from consilience import annotators
    >>> model = annotators.load("hierarchical_dawid_skene")
    >>> model.engines
    ('vb', 'nuts')
    """

    name: str = ""
    program: Callable[[Any, P], Any] = no_program
    layout: Callable[[Any, P], Any] | None = None
    axes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    substates: Callable[[P], int] = lambda _: 1
    states: int = 2
    on_host: ClassVar[bool] = True  # whether NumPy can run the program

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
        return {**self.listed(coding).dims, **self.axes}

    @property
    def share_confusion(self) -> bool:
        """Whether all annotators share one confusion, where it follows from tables."""
        return "annotator" not in self.axes.get("confusion", DIMS["confusion"])

    @property
    def source(self) -> Callable[..., Any]:
        """The function that says what the model is."""
        return self.program

    @property
    def by_tables(self) -> bool:
        """Whether NumPy can run the program, and answers are drawn from its tables."""
        return self.on_host and self.layout is None

    @property
    def whole_items(self) -> bool:
        """Whether the units of an item are modelled together."""
        return False

    @property
    def of_classes(self) -> bool:
        """Whether items are modelled with the others of their class."""
        return False

    def closed(self, coding: Any) -> bool:
        """Return whether all parameters have closed-form updates."""
        # Of a program that needs the data, it is known.
        laid_out = self.layout is not None
        return self.on_host and (laid_out or self.listed(coding).closed)

    @property
    def has_rows(self) -> bool:
        """Whether rows are moved by effects of annotators, as Gibbs sampling knows."""
        return "gibbs" in self.engines

    def by_gradient(self, coding: Any) -> bool:
        """Return whether engines climb along the gradient, for want of another way."""
        return not (self.has_rows or self.closed(coding))


@dataclass(frozen=True, kw_only=True, eq=False)
class NumPyroModel[P](Model[P]):
    """A model whose program calls NumPyro itself, so that only JAX can run it.

    Attributes
    ----------
    together : {"unit", "item", "class"}
        What is modelled together: each unit by itself, the units of an item, or the
        items of a class.

    See Also
    --------
    Model : All other attributes.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.load("class_confusion").together
    'class'
    """

    together: Literal["unit", "item", "class"] = "unit"
    on_host: ClassVar[bool] = False

    def own_dims(self, coding: Any) -> Mapping[str, tuple[str, ...]]:
        """Return the axes that plates have, and those that are named."""
        if self.layout is not None:
            return self.axes
        from consilience.model.in_numpyro import axes_of_plates

        sizes = Sizes.of(coding)
        plates = axes_of_plates(partial(self.program, sizes, self.prior), sizes)
        return {**plates, **self.axes}

    @property
    def whole_items(self) -> bool:
        """Whether the units of an item are modelled together."""
        return self.together != "unit"

    @property
    def of_classes(self) -> bool:
        """Whether items are modelled with the others of their class."""
        return self.together == "class"


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule[P](Model[P]):
    """A rule without a likelihood, which the engine `rule` applies.

    Attributes
    ----------
    apply : callable
        Takes the space, the prior and when to stop, and returns `Applied`.

    See Also
    --------
    Heuristic : A rule that makes the tables of a run itself.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.load("majority").engines
    ('rule',)
    """

    apply: Callable[[Any, P, Rounds], Applied]
    on_host: ClassVar[bool] = False

    @property
    def source(self) -> Callable[..., Any]:
        """The function that says what the rule is."""
        return self.apply

    def by_gradient(self, coding: Any) -> bool:
        """Return that nothing is climbed."""
        del coding
        return False


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
    if not isinstance(model, Model) or isinstance(model, Rule):
        return False
    return not model.of_classes


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
    if not isinstance(model, Model) or isinstance(model, Rule) or model.layout:
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
