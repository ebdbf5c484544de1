r"""Structured: for many labels; errors fall on the candidates shown, by what they are.

.. math::

   p(y_{ij} = l \mid z_i = k, C_i) = \begin{cases} a_j & l = k \\
   (1 - a_j)\, \dfrac{w_{kl}}{\sum_{m \in C_i, m \ne k} w_{km}} & l \in C_i, l \ne k
   \end{cases} \qquad a_j \sim \mathrm{Beta}(\alpha, \beta)

.. math::

   \log w_{kl} = b_l + \gamma\, [\text{one superclass}]_{kl} + \rho f_{kl}
   + \omega_{kl}, \qquad b_l, \gamma, \rho, \omega_{kl} = \omega_{lk} \sim N(0, \cdot)

:math:`C_i` are the candidates of the item. Weights are divided by their sum over the
candidates: an error can only fall on what was shown, and a label is not rare because it
was rarely shown. Each term has its own scale in the prior and is left out where that is
zero; by default all are, and errors are uniform over the list: one coin, on lists.
Never is there a table of labels by labels, nor of items by labels, so a thousand labels
and a million responses fit in memory. `vb` and `em` hold the terms at their most
probable values; `nuts` samples them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consilience.errors import OptionError
from consilience.model import (
    Coding,
    Dirichlet,
    NewtonModel,
    Normal,
    OnShortlists,
    Parameters,
    lists_of,
    namespace,
)
from consilience.truth import ChoiceSpace, Observations, Shortlists, Space, shortlists


@dataclass(frozen=True, slots=True)
class Prior:
    """Imagined counts, and the scales of what draws errors.

    Attributes
    ----------
    right, wrong, held
        Mode of the learned Beta distribution of accuracies, and its weight in
        annotators.
    prevalence
        Imagined items of each state.
    popularity
        Standard deviation of a label's log attraction for errors; 0: none.
    superclass
        That of the log attraction between labels of one superclass (the column `parent`
        of the labels); 0: none.
    similarity
        That of the weight of the similarity that the user gives; 0: none.
    pairs
        That of the log attraction of each pair of labels named together; 0: none.
    """

    right: float = 4.0
    wrong: float = 2.0
    held: float = 1.0
    prevalence: float = 1.0
    popularity: float = 0.0
    superclass: float = 0.0
    similarity: float = 0.0
    pairs: float = 0.0


def layout(space: Space, prior: Prior) -> Shortlists:
    """Lay the answers out by slot of the lists, with what the prior asks for."""
    asked = {"superclass": prior.superclass, "pairs": prior.pairs}
    asked |= {"similarity": prior.similarity, "popularity": prior.popularity}
    first = next((name for name, scale in asked.items() if scale), None)
    if first and not isinstance(space, ChoiceSpace):
        msg = (
            f"{first}={asked[first]}: labels draw errors for choice only; leave it out"
        )
        raise OptionError(msg)
    if not isinstance(space, ChoiceSpace):
        return shortlists(space)
    if prior.superclass and not (space.parent != "").any():
        msg = (
            f"`superclass={prior.superclass}`: no label has a superclass; give a table "
            "of labels with a column parent (`labels=`), or leave it out"
        )
        raise OptionError(msg)
    if prior.similarity and not len(space.similar.first):
        msg = (
            f"`similarity={prior.similarity}`: no similarity of labels is given; "
            "give a table label_a, label_b, value (`similarity=`), or leave it out"
        )
        raise OptionError(msg)
    return shortlists(
        space,
        parent=space.parent if prior.superclass else None,
        similar=space.similar if prior.similarity else None,
        pairs=prior.pairs > 0,
    )


def dirichlet(observations: Coding, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of prevalence and of each annotator's accuracy."""
    states = observations.num_states
    skill = np.array([prior.right, prior.wrong])
    return {
        "prevalence": Dirichlet(np.full(states, prior.prevalence), (states,)),
        "skill": Dirichlet(
            skill, (observations.num_annotators, 2), hyperprior_weight=prior.held
        ),
    }


def normal(observations: Observations, prior: Prior) -> Mapping[str, Normal]:
    """Return the priors of what draws errors; those asked for."""
    shapes: Mapping[str, tuple[float, tuple[int, ...]]] = {
        "popularity": (prior.popularity, (observations.num_answers,)),
        "superclass": (prior.superclass, ()),
        "similarity": (prior.similarity, ()),
        "pairs": (prior.pairs, (lists_of(observations).num_pairs,)),
    }
    return {
        name: Normal(scale, shape)
        for name, (scale, shape) in shapes.items()
        if scale > 0 and 0 not in shape
    }


def emission(observations: Observations, parameters: Parameters) -> OnShortlists:
    """Return how each answer looks on its list."""
    lists = lists_of(observations)
    states, answers = lists.right.shape
    terms = []
    if "popularity" in parameters:
        drawn = lists.label @ parameters["popularity"][:, None]
        terms.append(drawn.reshape(1, answers, -1))
    if "superclass" in parameters and lists.kin is not None:
        terms.append(parameters["superclass"] * lists.kin)
    if "similarity" in parameters and lists.similar is not None:
        terms.append(parameters["similarity"] * lists.similar)
    if "pairs" in parameters and lists.by_pair_of_labels is not None:
        drawn = lists.by_pair_of_labels @ parameters["pairs"][:, None]
        terms.append(drawn.reshape(states, answers, -1))
    skill = parameters["skill"]
    weight = sum(terms[1:], start=terms[0]) if terms else None
    return OnShortlists(skill[:, 0], skill[:, 1], weight)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return each annotator's chance of being right."""
    del observations
    skill = parameters["skill"]
    return {"accuracy": namespace(skill).exp(skill[:, 0])}


MODEL = NewtonModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "skill": ("annotator", "right_wrong"),
        "skill_prior": ("right_wrong",),
        "accuracy": ("annotator",),
        "popularity": ("given_class",),
        "superclass": (),
        "similarity": (),
        "pairs": ("pair",),
    },
    engines=("vb", "em", "nuts"),
    references=(
        "Van Horn et al. (2018), section 3.2",
        "Luce (1959), Individual choice behavior, chapter 1",
    ),
    dirichlet=dirichlet,
    normal=normal,
    layout=layout,
    emission=emission,
    derived=derived,
)
