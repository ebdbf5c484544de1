r"""Communities: annotators mix a few styles of answering, which all of them share.

.. math::

   \theta_{jk} = \sum_{g=1}^{G} w_{jg}\, \theta^{*}_{gk}, \qquad
   w_j \sim \mathrm{Dir}(\rho), \ \theta^{*}_{gk} \sim \mathrm{Dir}(\alpha_k)

with :math:`\rho` learned from all annotators and small at the start, so that most
annotators belong to one community. An annotator with few answers takes the confusion of
those that they resemble; one with none, that of the population. In Venanzi et al. an
annotator belongs to one community and strays from it; here they stray by mixing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    Gamma,
    LogDirichlet,
    Model,
    imagined_answers,
    mixture,
    sample,
    sample_prevalence,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts, and how many communities.

    Attributes
    ----------
    communities
        How many; those that nobody needs stay empty.
    member, held
        Where the learned concentration of memberships starts, all communities
        together, and the weight of that start in annotators.
    own, other
        Answers of each community that are votes for the true state, and others.
    prevalence
        Items of each state.
    """

    communities: int = 4
    member: float = 1.0
    held: float = 1.0
    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, memberships, and the communities' confusions.

    The communities start apart: from sure of the truth to guessing.
    """
    log_prevalence = sample_prevalence(data, prior.prevalence)
    number = prior.communities
    even = np.full(number, prior.member / number)
    learned = sample(
        "membership_prior", Gamma(1 + prior.held * even, prior.held), "community"
    )
    membership = sample("membership", LogDirichlet(learned), "annotator", "community")
    sure = imagined_answers(data, prior)
    share = np.linspace(0.0, 1.0, number)[:, None, None]
    apart = LogDirichlet((1 - share) * sure + share * sure.mean())
    style = sample("style", apart, "community", "true_class", "given_class")
    return mixture(log_prevalence, membership.T[:, :, None, None] + style[:, None])


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em"),
    references=(
        "Venanzi et al. (2014), section 3",
        "Imamura, Sato and Sugiyama (2018), section 3",
    ),
)
