r"""EBCC: each label has subtypes, so that correlated errors do not count twice.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad g_i \mid z_i = k \sim \mathrm{Cat}(\eta_k), \quad
   y_{ij} \mid z_i = k, g_i = m \sim \mathrm{Cat}(\theta_{jkm})

.. math::

   \eta_k \sim \mathrm{Dir}(a / M), \qquad \theta_{jkm} \sim \mathrm{Dir}(\alpha_k)

Given the label *and its subtype* answers are independent; given the label alone they
are not. The typical husky and the husky that looks like a malamute are two subtypes: on
the second everyone errs, and the model learns it. The sum over subtypes is exact. There
are many optima; of several starts the one with the best evidence bound is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consilience.model import (
    BySubtype,
    Coding,
    Dirichlet,
    DirichletTableModel,
    Parameters,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts, those of Li, Rubinstein and Cohn (2019), section 5.

    Attributes
    ----------
    subtypes
        Subtypes of each label; those that are not needed stay empty.
    spread
        Items of all subtypes of a label together: small lets few subtypes suffice.
    own, other
        Answers that are votes for the true state, and others.
    prevalence
        Items of each state.
    held
        Above zero: the imagined answers are learned from all annotators and subtypes,
        held at `own` and `other` with the weight of this many confusions. Answers are
        then predicted better, but a subtype can drift to another label's answers. Zero:
        not learned, as published.
    """

    subtypes: float = 10.0
    spread: float = 0.1
    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0
    held: float = 0.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence, subtypes and each annotator's confusions."""
    states, answers = observations.num_states, observations.num_answers
    number = int(prior.subtypes)
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    shape = (observations.num_annotators, states, number, answers)
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "subtype": Dirichlet(np.full(number, prior.spread / number), (states, number)),
        "subtype_confusion": Dirichlet(
            confusion[:, None], shape, hyperprior_weight=prior.held or None
        ),
    }


def emission(observations: Coding, parameters: Parameters) -> BySubtype:
    """Return each annotator's confusion for each subtype, and the subtypes' shares."""
    del observations
    return BySubtype(parameters["subtype_confusion"], parameters["subtype"])


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "subtype": ("true_class", "subtype"),
        "subtype_confusion": ("annotator", "true_class", "subtype", "given_class"),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "svi"),
    references=("Li, Rubinstein and Cohn (2019), section 3",),
    dirichlet=dirichlet,
    emission=emission,
    substates=lambda prior: int(prior.subtypes),
)
