r"""Whether a label is a right name of an object, in each joint posterior draw.

That an object is there does not make each of its names right: a label that one
annotator used for what everybody saw may be a rival of the right name, or a duplicate.
In a world where a share :math:`f` of annotators names the label's object, where the
label's share of the object's namings is :math:`r` times that of the name most used, and
where a share :math:`u` of annotators gives the label itself, the label is **valid** at
a threshold :math:`\tau` if :math:`f > \tau` and it is a right name, which has the odds

.. math::

   \frac{q}{1 - q} \cdot \frac{1 - \tau}{\tau} \cdot e^{c}, \qquad q = \sqrt{u f r'} .

:math:`r'` is :math:`r` where the names of the object are rivals, and
:math:`\sqrt{r}` where they are synonyms: that others are used more says less against
a name where several are right.
:math:`u` is drawn from a Beta distribution with the label's votes, and one imagined
annotator who gives it with the chance that the model says. So two names that the same
annotators give together are both right, and of two that divide the annotators each has
the odds of its share. Candidates that nobody named have a small :math:`u` and a small
:math:`r`, unless their covariates speak for them.

Where the data set has a label for the item, that is one more opinion: :math:`c` is
`OPINION` for that label and minus `OPINION` for the others, so that it doubles odds or
halves them. It is 0 where there is none. The annotators name that label more readily
than its being right explains: it was known when images and candidates were picked. So
its namings say less. They count half (:math:`\sqrt{q / (1 - q)}` stands for
:math:`q / (1 - q)`), and one further imagined annotator does not give it. Nor does one
give the only candidate of an item, which the model lets everybody name.

These constants are the only ones. They were chosen on images that both studies of
ImageNet asked about, where the raters of one study judge labels that the annotators of
the other named (`benchmarks/valid_labels.py`), on the half of the images whose name has
an even SHA-256: of 81 settings around the least log-loss, the one with the least
log-loss less F1 and Jaccard, for all annotators and for the first three, five and
seven, and by both ways to say what raters call valid. Chosen on a random half of these
images alone, the constants were better than those before on the other half in each of
twelve tries. The factors of :math:`q` are older, and that synonyms count :math:`r`
half is newer; they were compared with all images in view.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logit

from consilience.objects.posterior.draws import Chunk
from consilience.objects.posterior.streams import Streams
from consilience.truth.named import Named
from consilience.truth.space import ObjectsSpace

OPINION = float(np.log(2.0))  # log-odds
WEIGHT = 0.5  # of the namings of the data set's own label
_EDGE = 1e-6  # no share is closer to none, or to all


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """Who named what; U items, C candidates at most."""

    votes: Float[np.ndarray, "U C"]
    answers: Float[np.ndarray, " U"]
    none: Int[np.ndarray, " U"]
    sizes: Int[np.ndarray, "U C"]
    dataset_label: Int[np.ndarray, " U"]


def label_counts(space: ObjectsSpace, named: Named) -> LabelCounts:
    """Count who named what."""
    units, places = named.candidate.shape
    slot = np.arange(places)
    # Of some answers only the main label is known.
    mask = named.mask | (1 << np.maximum(named.main, 0)) * (named.main >= 0)
    votes = [
        np.bincount(space.unit, (mask >> place & 1) * space.n, units) for place in slot
    ]
    answers = np.bincount(space.unit, space.n, units) + named.none.astype(float)
    size = np.bitwise_count(named.mask)  # 0 where only the main label is known
    sizes = [
        np.bincount(space.unit, (size == number) * space.n, units).astype(np.int64)
        for number in slot + 1
    ]
    return LabelCounts(
        np.stack(votes, axis=1),
        answers,
        named.none,
        np.stack(sizes, axis=1),
        named.dataset_label_slot,
    )


def levels(
    chunk: Chunk, units: Int[np.ndarray, " u"], given: LabelCounts, numbers: Streams
) -> Float[np.ndarray, "u D n"]:
    """Draw up to which threshold each label is valid."""
    n = chunk.share.shape[2]
    dataset_label = given.dataset_label[units, None, None]
    is_own = np.arange(n) == dataset_label
    frequency = chunk.of_label
    expected = np.clip(frequency * chunk.share, _EDGE, 1 - _EDGE)
    votes = given.votes[units, None, :n]
    others = given.answers[units, None, None] - votes + (is_own | (n == 1))
    named = numbers.beta(votes + expected, others + 1 - expected)
    synonyms = np.take_along_axis(chunk.synonyms, chunk.object_of, axis=2)
    relative = np.where(synonyms, np.sqrt(chunk.relative), chunk.relative)
    right = np.clip(np.sqrt(named * frequency * relative), _EDGE, 1 - _EDGE)
    odds = logit(right) * np.where(is_own, WEIGHT, 1.0)
    odds += np.where(is_own, OPINION, -OPINION) * (dataset_label >= 0)
    step = np.stack(
        [numbers.stratified(chunk.share.shape[1]) for _ in range(n)], axis=2
    )
    step = np.clip(step, _EDGE, 1 - _EDGE)
    drawn: Float[np.ndarray, "u D n"] = expit(odds + logit(step))
    valid: Float[np.ndarray, "u D n"] = np.minimum(drawn, frequency)
    return valid
