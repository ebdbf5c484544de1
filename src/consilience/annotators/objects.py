r"""Objects: names are grouped into things, each with salience and a chance to be seen.

.. math::

   p(\rho) \propto \prod_{B \in \rho} c_B, \qquad
   \log c_B = \theta + \sum_{l < l' \in B} (\eta^\top f_{ll'} + \xi_{ll'}), \qquad
   \xi_{ll'} \sim N(0, \sigma_\xi^2)

The candidates of an item are partitioned into objects: a block :math:`B` of the
partition :math:`\rho` holds the names of one thing. Blocks have **saliences** :math:`s
\sim \mathrm{Dir}(\sum_{l \in B} \sigma_l)`, names inside a block have shares :math:`w_B
\sim \mathrm{Dir}(\nu_l)`, and a block is detected by a share :math:`r_B` of exhaustive
responses, which is one of two rates, high and low; which of the two is not known. Each
response:

.. math::

   B \sim s, \quad m \sim w_B; \qquad
   \begin{cases} \{m\} & \text{a single-label response, with } h_k \\
   \{m\} \cup \text{others} & \text{an exhaustive response} \end{cases}

The main label is a name of a block drawn by salience. A *single-label response* ends
there. An *exhaustive response* adds every other block with its :math:`r_B`, under one
of its names, and sometimes a further name of a block that is named already (a
*duplicate name*, with :math:`\delta`). A response with one label may be either: an
exhaustive one may have detected nothing else. The share of single-label responses
:math:`h \sim \mathrm{Beta}` differs between items, and :math:`\delta \sim
\mathrm{Beta}` between responses and objects: some annotators give all names of an
object.

The names of an object are *rivals*, of which one is right and few responses give two,
or *synonyms*, each of which is right and many responses give two: which of the two is
not known, and has the log-odds

.. math::

   \psi^\top f_{ll'} + \omega_{ll'}, \qquad \omega_{ll'} \sim N(0, \sigma_\omega^2),

the mean over the pairs of names of the object. :math:`\delta` is one for rivals, and
another for synonyms.

Everything of an item integrates out in closed form, block by block, so the score is a
sum over all partitions, exact (`consilience.objects.partitions`), and over the
ways to split one-label responses between the two.

Where annotators also answered *is there an l?* (kind contains), people endorse what
they would not have named. Given its block, and whether its detection is high or low, a
name has Dirichlet shares of no, maybe and yes, whose mean grows with :math:`r_B` in
log-odds; so these answers are a factor of each block's weight, and all sums stay exact
(`consilience.objects.endorsement`). The odds ratio of endorsement against
detection measures the *leading question*. A name that is endorsed gets pseudo-votes,
too: a share of them for each share of *yes*.

**There** is an object that more than a share :math:`\tau` of annotators would name: a
property of the population, not a second truth, with :math:`\tau` chosen when the
question is asked. **Valid** is a label whose object is there and that is a right name
for it (`consilience.objects.response_panels`).

:math:`\sigma_l` and :math:`\nu_l` are pseudo-votes, sums of the prior covariates of a
label with learned weights; :math:`f_{ll'}` are the covariates of a pair (one
superclass; the similarity that the user gives), and :math:`\xi_{ll'}` is the affinity
of a pair that occurs on several items, estimated from its own responses.

References
----------
Hartigan (1990), Partition models. Tsipras et al. (2020), section 3, for the questions
and the study. Binder (1978), for the point estimate of the partition. Mosimann (1962),
for the shares of those who are asked.
"""

from dataclasses import dataclass, field

from consilience.model import NOTHING, NumPyroModel, Parameters
from consilience.model.summed import Arithmetic, LaidOutAnswers
from consilience.objects.endorsement import endorsement
from consilience.objects.items import Items, items_of
from consilience.objects.label_counts import DIMS, detection_log_odds
from consilience.objects.shared import likelihood, sample_shared, score
from consilience.objects.simulation import simulation
from consilience.truth import ObjectsSpace, Observations
from consilience.truth.arrays import maths


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of names, objects and styles; scales are in log-odds.

    All are judgement: wide, and placed so that high detection is above one half, and
    duplicate names are rarer than that.

    Attributes
    ----------
    votes
        Standard deviation of the logarithm of imagined votes.
    affinity
        The same of what pairs of names have in common.
    rates
        The same of the rates of detection, duplicate names and single-label responses.
    spread
        Median weight, in responses, of the Beta distributions of these.
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
    pairs: float = field(default=0.5, metadata={NOTHING: "leaves them out"})
    synonyms: float = -4.0
    synonym_pairs: float = field(default=2.0, metadata={NOTHING: "leaves it out"})


def layout(space: ObjectsSpace, prior: Prior) -> Items:
    """Lay the items out by the number of their candidates."""
    return items_of(space, pairs=prior.pairs > 0)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return endorsement probabilities, where leading questions were asked."""
    del observations
    rates = maths(parameters).xp.stack(detection_log_odds(parameters))
    return endorsement(rates, parameters)


ARITHMETIC = Arithmetic(score, derived, simulation, log_likelihood=likelihood)


def program(data: Observations, prior: Prior) -> LaidOutAnswers:
    """Sample what items share."""
    return LaidOutAnswers(sample_shared(data, prior, prior.spread), ARITHMETIC)


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    axes=DIMS,
    engines=("em", "nuts"),
    references=("Hartigan (1990)", "Tsipras et al. (2020), section 3"),
    kinds=("objects",),
    layout=layout,
)
