r"""Structured: for many labels; errors fall on the candidates shown, by what they are.

.. math::

   p(y_{ij} = l \mid z_i = k, C_i) = \begin{cases} a_j & l = k \\
   (1 - a_j)\, \dfrac{w_{kl}}{\sum_{m \in C_i, m \ne k} w_{km}} & l \in C_i, l \ne k
   \end{cases} \qquad a_j \sim \mathrm{Beta}(\alpha, \beta)

.. math::

   \log w_{kl} = b_l + \gamma\, [\text{one superclass}]_{kl} + \rho f_{kl}, \qquad
   b_l, \gamma, \rho \sim N(0, \cdot)

:math:`C_i` are the candidates of the item. Weights are divided by their sum over the
candidates: an error can only fall on what was shown, and a label is not rare because it
was rarely shown. Each term has its own scale in the prior and is left out where that is
zero; by default all are, and errors are uniform over the list: one coin, on lists.
Never is there a table of labels by labels, nor of items by labels, so a thousand labels
and a million responses fit in memory. `vb` and `em` hold the terms at their most
probable values; `nuts` samples them.
"""

from dataclasses import asdict, dataclass
from typing import Any

from consilience.errors import OptionError
from consilience.model import (
    Model,
    Normal,
    OnShortlists,
    Shortlists,
    deterministic,
    lists_of,
    namespace,
    sample,
    sample_prevalence,
    sample_skill,
    shortlists,
)
from consilience.truth import ChoiceSpace, Space

# What draws errors, and its axes.
TERMS: dict[str, tuple[str, ...]] = {
    "popularity": ("given_class",),
    "superclass": (),
    "similarity": (),
}


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
    """

    right: float = 4.0
    wrong: float = 2.0
    held: float = 1.0
    prevalence: float = 1.0
    popularity: float = 0.0
    superclass: float = 0.0
    similarity: float = 0.0


def layout(space: Space, prior: Prior) -> Shortlists:
    """Lay the answers out by slot of the lists, with what the prior asks for."""
    if not isinstance(space, ChoiceSpace):
        for term in TERMS:
            if scale := getattr(prior, term):
                raise OptionError(
                    f"{term}={scale}: labels draw errors for choice only; leave it out"
                )
        return shortlists(space)
    if prior.superclass and not (space.parent != "").any():
        raise OptionError(
            f"`superclass={prior.superclass}`: no label has a superclass; give a table "
            "of labels with a column parent (`labels=`), or leave it out"
        )
    if prior.similarity and not len(space.similar.first):
        raise OptionError(
            f"`similarity={prior.similarity}`: no similarity of labels is given; "
            "give a table label, other_label, value (`similarity=`), or leave it out"
        )
    return shortlists(
        space,
        popularity=prior.popularity > 0,
        parent=space.parent if prior.superclass else None,
        similar=space.similar if prior.similarity else None,
    )


def program(data: Any, prior: Prior) -> OnShortlists:
    """Sample the prevalence, accuracies, and what draws errors, as far as asked for."""
    lists = lists_of(data)
    log_prevalence = sample_prevalence(data, prior.prevalence)
    skill = sample_skill(prior)
    scales, log_weight = asdict(prior), None
    for term in lists.terms:
        value = sample(term, Normal(0.0, scales[term]), *TERMS[term])
        added = lists.log_weight(term, value)
        log_weight = added if log_weight is None else log_weight + added
    xp = namespace(skill)
    deterministic("accuracy", lambda: xp.exp(skill[:, 0]), "annotator")
    return OnShortlists(log_prevalence, skill, log_weight)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=(
        "Van Horn et al. (2018), section 3.2",
        "Luce (1959), Individual choice behavior, chapter 1",
    ),
    layout=layout,
    axes={
        "skill": ("annotator", "right_wrong"),
        "skill_prior": ("right_wrong",),
        "accuracy": ("annotator",),
        **TERMS,
    },
)
