r"""Objects by annotator: the same, with a style and a recall of each annotator.

.. math::

   \mathrm{logit}\, h_{ij} = \mu + x_i^\top \gamma + \omega u_i + a_j, \qquad
   \mathrm{logit}\, r_{Bj} = r_{t_B} + b_j

As the model `objects`, with parameters for each annotator: :math:`h_{ij}` is the chance
that annotator j names one object of item i alone, and :math:`r_{Bj}` that an exhaustive
response of theirs detects an object that is not the main one; :math:`t_B` says whether
its detection is high or low. An annotator who names one label everywhere says little of
what else is there; one who lists all says much, and ids distinguish the two.

.. math::

   a_j \sim N(0, \sigma_a^2), \quad b_j \sim N(0, \sigma_b^2), \quad u_i \sim N(0, 1)

The item's own pull :math:`u_i` is integrated out on nodes, the partition and which
responses are exhaustive as in `objects`, answer by answer: an item with s answers of
one label has :math:`2^s` ways. Annotators without an id are taken for the typical one.

`em` finds the mode in coordinates in which the spreads are estimated nearly as if the
annotators were integrated out: :math:`a_j = \sigma_a z_j / \sqrt{1 + \sigma_a^2 I_j}`,
:math:`z_j \sim N(0, 1 + \sigma_a^2 I_j)`, with the information :math:`I_j` of so
many answers, or of so many labels that might have been seen, at a chance of one to
four.

**What ids cannot show** either: who names one label nearly always may give single-label
responses, or exhaustive ones with a low recall. The two then trade against each other,
which the intervals of `nuts` show.

References
----------
Tsipras et al. (2020), section 3, for the questions and the study. Paun et al. (2018),
section 3, for annotators as draws from a population.
"""

from dataclasses import dataclass, field

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import sigmoid
from jaxtyping import Array

from consilience.model import NOTHING, NumPyroModel, Parameters, normal_nodes
from consilience.model.summed import Arithmetic, LaidOutAnswers
from consilience.objects.items import Items, items_of
from consilience.objects.label_counts import DIMS, detection_log_odds, follows
from consilience.objects.shared import likelihood, sample_shared, score
from consilience.objects.simulation import simulation
from consilience.truth import ObjectsSpace, Observations

WORTH = 0.16  # information of one answer in log-odds, at a chance of one to four


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of names, objects and annotators; scales are in log-odds.

    All are judgement, as of the model `objects`.

    Attributes
    ----------
    votes
        Standard deviation of the logarithm of imagined votes.
    affinity
        The same of what pairs of names have in common.
    rates
        The same of the rates of detection, duplicate names and single-label responses.
    spread
        Median weight, in responses, of the Beta distribution of duplicate names.
    pull
        Median standard deviation between items, of picking.
    people
        Scale of the half-normal prior of the spread between annotators.
    pairs
        Median of the standard deviation of the affinities of single pairs of labels; 0
        leaves them out.
    synonyms
        Log-odds that names of one object are synonyms, before any answer.
    synonym_pairs
        Standard deviation of what single pairs of labels add to these; 0 leaves it out.
    """

    votes: float = 1.0
    affinity: float = 1.0
    rates: float = 0.7
    spread: float = 4.0
    pull: float = 0.7
    people: float = 1.0
    pairs: float = field(default=0.5, metadata={NOTHING: "leaves them out"})
    synonyms: float = -4.0
    synonym_pairs: float = field(default=2.0, metadata={NOTHING: "leaves it out"})


def _people(items: Items, prior: Prior) -> Parameters:
    """Sample the effects of annotators and their spreads."""
    people = items.people
    assert people is not None  # noqa: S101 (laid out below)
    spreads = numpyro.sample(
        "spreads", dist.HalfNormal(jnp.full(2, prior.people)).to_event(1)
    )
    quantities: dict[str, Array] = {"spreads": spreads}
    counts = {"single_label_effect": people.answered, "recall": people.looked}
    for (name, count), spread in zip(counts.items(), spreads, strict=True):
        wide = jnp.sqrt(1 + spread**2 * WORTH * count)
        place = numpyro.sample(f"{name}_place", dist.Normal(0.0, wide).to_event(1))
        quantities[name] = jnp.where(people.identified, spread * place / wide, 0.0)
    return quantities


def layout(space: ObjectsSpace, prior: Prior) -> Items:
    """Lay the items out by the number of their candidates, answer by answer."""
    return items_of(space, by_annotator=True, pairs=prior.pairs > 0)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return effects, and how often each picks and sees what is usual.

    Of the typical item: averaged over the pull of items, and over objects of high and
    of low detection.
    """
    del observations
    node, weight = normal_nodes(31)
    mean, log_pull = parameters["single_label"]
    logit = mean + jnp.exp(log_pull) * node + parameters["single_label_effect"][:, None]
    low, high = (
        sigmoid(rate + parameters["recall"]) for rate in detection_log_odds(parameters)
    )
    share = sigmoid(parameters["high_detection"][0])
    return {
        "single_label_effect": parameters["single_label_effect"],
        "recall": parameters["recall"],
        "single_label_rate": sigmoid(logit) @ jnp.exp(weight),
        "detection_probability": (1 - share) * low + share * high,
        **follows(parameters),
    }


ARITHMETIC = Arithmetic(score, likelihood, derived, simulation)


def program(data: Observations, prior: Prior) -> LaidOutAnswers:
    """Sample what items share, and the annotators."""
    shared = sample_shared(data, prior, prior.pull)
    return LaidOutAnswers({**shared, **_people(data.layout, prior)}, ARITHMETIC)


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    axes={
        **DIMS,
        "spreads": ("effect",),
        "single_label_effect_place": ("annotator",),
        "recall_place": ("annotator",),
        "single_label_effect": ("annotator",),
        "recall": ("annotator",),
        "single_label_rate": ("annotator",),
        "detection_probability": ("annotator",),
    },
    engines=("em", "nuts"),
    references=("Tsipras et al. (2020), section 3", "Paun et al. (2018), section 3"),
    kinds=("objects",),
    layout=layout,
)
