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

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    LogDirichlet,
    Model,
    imagined_answers,
    sample,
    sample_prevalence,
    subtypes,
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
    """

    subtypes: int = 10
    spread: float = 0.1
    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, subtypes, and each annotator's confusions of these."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    number = prior.subtypes
    share = LogDirichlet(np.full(number, prior.spread / number))
    log_share = sample("subtype_share", share, "true_class", "subtype")
    log_confusion = sample(
        "subtype_confusion",
        LogDirichlet(imagined_answers(data, prior)[:, None]),
        *("annotator", "true_class", "subtype", "given_class"),
        sizes={"subtype": number},
    )
    return subtypes(log_prevalence, log_confusion, log_share)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em"),
    references=("Li, Rubinstein and Cohn (2019), section 3",),
    substates=lambda prior: prior.subtypes,
)
