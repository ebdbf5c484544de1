"""The records that models' files make, one class for each kind of model.

Closed forms need neither JAX nor NumPyro, so this module loads neither.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError
from consilience.model.contract import (
    PREVALENCE,
    AnnotatorModel,
    ClosedFormModel,
    Coding,
    Dirichlet,
    EmissionModel,
    LaidOutModel,
    Method,
    Normal,
    Parameters,
    SampledModel,
)
from consilience.model.emission import ByTables
from consilience.model.random_effects.row_effects import TYPICAL, RowEffects
from consilience.responses import Responses
from consilience.truth import Space

NO_LIKELIHOOD = (
    "the model is a rule without a likelihood: it neither predicts nor draws answers; "
    "take another model, such as bayesian_dawid_skene"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class DirichletModel[P](ClosedFormModel[P], EmissionModel[P]):
    """Parameters with Dirichlet priors, and an emission."""

    dirichlet: Callable[[Coding, P], Mapping[str, Dirichlet]]

    def priors(self, coding: Coding) -> Mapping[str, Dirichlet]:
        """Return the Dirichlet priors of the parameters by name."""
        return self.dirichlet(coding, self.prior)


@dataclass(frozen=True, kw_only=True, eq=False)
class TableModel[P](EmissionModel[P]):
    """Answers drawn from tables, computed on the host without JAX (`model.Tables`)."""

    emission: Callable[[Any, Parameters], ByTables]

    @abstractmethod
    def priors(self, coding: Coding) -> Mapping[str, Dirichlet]:
        """Return the Dirichlet priors by name, among them that of the prevalence."""

    @abstractmethod
    def probabilities(self, coding: Coding) -> frozenset[str]:
        """Return the parameters whose logarithms the emission takes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DirichletTableModel[P](DirichletModel[P], TableModel[P]):
    """Answers drawn from tables whose rows have Dirichlet priors.

    `em` and `vb` fit it in closed form on the host.
    """

    emission: Callable[[Any, Parameters], ByTables]

    def probabilities(self, coding: Coding) -> frozenset[str]:
        """Return the parameters whose logarithms the emission takes: all of them."""
        return frozenset(self.priors(coding))


@dataclass(frozen=True, kw_only=True, eq=False)
class RowEffectsModel[P](TableModel[P]):
    """Answers drawn from tables whose rows have normal effects of the annotators.

    The engine `gibbs` draws them on the host.
    """

    effects: Callable[[Coding, P], RowEffects]
    emission: Callable[[Any, Parameters], ByTables]

    def priors(self, coding: Coding) -> Mapping[str, Dirichlet]:
        """Return the Dirichlet prior of the prevalence."""
        imagined = self.effects(coding, self.prior).prevalence
        return {PREVALENCE: Dirichlet(imagined, imagined.shape)}

    def probabilities(self, coding: Coding) -> frozenset[str]:
        """Return the parameters whose logarithms the emission takes."""
        del coding
        return frozenset({PREVALENCE, TYPICAL})

    def sample(self, observations: Any) -> Parameters:
        """Sample the parameters from their priors."""
        from consilience.model.random_effects.row_program import sample_row_effects

        return sample_row_effects(observations, self.effects(observations, self.prior))


@dataclass(frozen=True, kw_only=True, eq=False)
class NewtonModel[P](DirichletModel[P], LaidOutModel[P]):
    """Dirichlet priors, and unconstrained parameters that Newton steps update."""

    normal: Callable[[Any, P], Mapping[str, Normal]]

    def normals(self, observations: Any) -> Mapping[str, Normal]:
        """Return the priors of the parameters that are free numbers."""
        return self.normal(observations, self.prior)


class Rounds(NamedTuple):
    """When a rule that updates weights in turn is to stop."""

    sweeps: int = 500
    tolerance: float = 1e-10


class Applied(NamedTuple):
    """What a rule gives: the posterior of the truth, and what it learned by the way."""

    belief: Float[np.ndarray, "U S"]
    parameters: Mapping[str, Float[np.ndarray, "..."]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule[P](AnnotatorModel[P]):
    """A rule without a likelihood: nothing is sampled, and its engine is "rule"."""

    apply: Callable[[Space, P, Rounds], Applied]

    def sample(self, observations: Any) -> NoReturn:
        """Refuse to sample."""
        del observations
        raise OptionError(NO_LIKELIHOOD)

    def score(self, observations: Any, parameters: Parameters) -> NoReturn:
        """Refuse to say how probable answers are."""
        del observations, parameters
        raise OptionError(NO_LIKELIHOOD)


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramModel[P](SampledModel[P], EmissionModel[P]):
    """A NumPyro program of the parameters, and an emission."""


def no_new_annotator(parameters: Parameters) -> NoReturn:
    """Refuse to say what a new annotator would answer."""
    del parameters
    msg = "answers of this model are not drawn from tables; take contains_states"
    raise OptionError(msg)


@dataclass(frozen=True, kw_only=True, eq=False)
class LaidOutScoreModel[P](SampledModel[P], LaidOutModel[P]):
    """A score of answers that the model lays out itself: of pairs, or of objects."""

    log_joint: Callable[[Any, Parameters], Any]
    simulate_answers: Callable[[Any, Any, Parameters], Any]
    log_likelihood: Callable[[Any, Parameters], Any]
    answer_tables: Callable[[Parameters], Any] | None = None
    new_annotator: Callable[[Parameters], Any] = no_new_annotator
    whole_items: bool = False
    of_classes: bool = False

    def score(self, observations: Any, parameters: Parameters) -> Any:
        """Return log p(state, the unit's answers | parameters)."""
        return self.log_joint(observations, parameters)


@dataclass(frozen=True, kw_only=True, eq=False)
class Heuristic[P](Method[P]):
    """A rule without a likelihood: nothing is fitted, and its only engine is "rule".

    Attributes
    ----------
    prior, dims, engines, references, kinds
        As of an `AnnotatorModel`; a rule has no parameters.
    tables : callable
        The tables of a run by name, computed from the responses.

    See Also
    --------
    AnnotatorModel : A model that engines fit.

    Examples
    --------
    >>> from consilience import annotators
    >>> annotators.load("tsipras2020").kinds
    ('objects',)
    """

    tables: Callable[[Responses], Mapping[str, pd.DataFrame]]
