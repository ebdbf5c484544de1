r"""Communities: annotators mix a few styles of answering, which all of them share.

.. math::

   \theta_{jk} = \sum_{g=1}^{G} w_{jg}\, \theta^{*}_{gk}, \qquad
   w_j \sim \mathrm{Dir}(\rho), \ \theta^{*}_{gk} \sim \mathrm{Dir}(\alpha_k)

with :math:`\rho` learned from all annotators and small at the start, so that most
annotators belong to one community. An annotator with few answers takes the confusion of
those that they resemble; one with none, that of the population. In Venanzi et al. an
annotator belongs to one community and strays from it; here they stray by mixing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consilience.model import (
    ByMixture,
    Coding,
    Dirichlet,
    DirichletTableModel,
    Parameters,
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

    communities: float = 4.0
    member: float = 1.0
    held: float = 1.0
    own: float = 4.0
    other: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence, memberships and the communities' confusions.

    The communities start apart: from sure of the truth to guessing.
    """
    states, answers = observations.num_states, observations.num_answers
    number = int(prior.communities)
    member = np.full(number, prior.member / number)
    sure = prior.other + (prior.own - prior.other) * observations.votes.T
    share = np.linspace(0.0, 1.0, number)[:, None, None]
    style = (1 - share) * sure + share * sure.mean()
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "membership": Dirichlet(
            member, (observations.num_annotators, number), hyperprior_weight=prior.held
        ),
        "style": Dirichlet(style, (number, states, answers)),
    }


def emission(observations: Coding, parameters: Parameters) -> ByMixture:
    """Return each annotator's chance of each community and answer."""
    del observations
    membership = parameters["membership"].T[:, :, None, None]
    return ByMixture(membership + parameters["style"][:, None])


MODEL = DirichletTableModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "membership": ("annotator", "community"),
        "membership_prior": ("community",),
        "style": ("community", "true_class", "given_class"),
        "confusion": ("annotator", "true_class", "given_class"),
    },
    engines=("vb", "em", "svi"),
    references=(
        "Venanzi et al. (2014), section 3",
        "Imamura, Sato and Sugiyama (2018), section 3",
    ),
    dirichlet=dirichlet,
    emission=emission,
)
