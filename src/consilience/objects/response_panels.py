r"""Predictions for a new panel of annotators, as a function of its size.

Given what is drawn of an item, each annotator answers on their own. How many labels a
response names follows from the model: a single-label response names one; an exhaustive
one names the main object, each other one with its detection probability, and sometimes
duplicate names of either. With :math:`G_B(x)` the generating function of duplicate
names of block B, that of the number of labels of an exhaustive response is

.. math::

   \sum_B s_B \, x G_B(x) \prod_{B' \ne B} \bigl(1 - r_{B'} + r_{B'} x G_{B'}(x)\bigr) .

A panel finds *several* objects as the multi-label study has it: of the numbers of
labels that its responses name, the most frequent is above one. Its main label is the
one that most give as the main object's. Where several tie, each is as good.

**Whether a label is a right name of an object, in each joint posterior draw.** That an
object is there does not make each of its names right. In a world where a share
:math:`f` of annotators names the label's object, where the label's share of the
object's namings is :math:`r` times that of the name most used, and where a share
:math:`u` of annotators gives the label itself, the label is **valid** at a threshold
:math:`\tau` if :math:`f > \tau` and it is a right name, which has the odds

.. math::

   \frac{q}{1 - q} \cdot \frac{1 - \tau}{\tau} \cdot e^{c}, \qquad q = \sqrt{u f r'} .

:math:`r'` is :math:`r` where the names of the object are rivals, and
:math:`\sqrt{r}` where they are synonyms: that others are used more says less against
a name where several are right.
:math:`u` is drawn from a Beta distribution with the label's votes, and one imagined
annotator who gives it with the chance that the model says. So two names that the same
annotators give together are both right, and of two that divide the annotators each has
the odds of its share.

Where the data set has a label for the item, that is one more opinion: :math:`c` is
`OPINION` for that label and minus `OPINION` for the others, so that it doubles odds or
halves them. It is 0 where there is none. Annotators name that label more readily than
its being right explains, since it was known when images and candidates were picked. So
its namings count half (:math:`\sqrt{q / (1 - q)}` stands for :math:`q / (1 - q)`), and
one further imagined annotator does not give it; nor does one give the only candidate of
an item, which the model lets everybody name.

These constants are the only ones. They were chosen on images that both studies of
ImageNet asked about, where the raters of one study judge labels that the annotators of
the other named (`benchmarks/valid_labels.py`), on the half of the images whose name has
an even SHA-256: of 81 settings around the least log-loss, the one with the least
log-loss less F1 and Jaccard, for all annotators and for the first three, five and
seven. The factors of :math:`q` are older, and that synonyms count :math:`r` half is
newer; they were compared with all images in view.

References
----------
Tsipras et al. (2020), section 3 and appendix B, for the rule.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import comb, expit, logit

from consilience.objects.block_counts import block_sizes
from consilience.objects.draws import Chunk, Streams
from consilience.truth.named import Named
from consilience.truth.space import ObjectsSpace

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 25)  # of panels; beside ever more annotators
OPINION = float(np.log(2.0))  # log-odds
WEIGHT = 0.5  # of the namings of the data set's own label
_EDGE = 1e-6  # no share is closer to none, or to all


def verdicts(
    chunk: Chunk, dataset_label: Int[np.ndarray, " u"], numbers: Streams
) -> tuple[Float[np.ndarray, "u S"], Float[np.ndarray, "u S"]]:
    """Return how probably panels find several objects, and another main label.

    The panels are those of `SIZES`, and last of ever more annotators: one of each size
    for each draw of an item.
    """
    size, main = sizes_of_responses(chunk), _first(chunk.main)
    place = np.arange(len(size))[:, None]
    several = np.broadcast_to(place > 0, (len(size), len(dataset_label)))
    differs = _coverage(main / main.sum(0), place != dataset_label, numbers)
    differs = np.where(dataset_label[:, None] >= 0, differs, np.nan)
    return _coverage(size, several, numbers), differs


def sizes_of_responses(chunk: Chunk) -> Float[np.ndarray, "n u D"]:
    """Return how probably a fresh response names one label, two, and so on."""
    # The small axis comes first: what follows is done to whole arrays of draws.
    drawn = (chunk.blocks, chunk.salience, chunk.rate, chunk.synonyms)
    blocks, salience, rate, synonyms = map(_first, drawn)
    rivals, same = (_further(table) for table in chunk.duplicates)
    shape = (len(blocks) + 1, *blocks.shape[1:])
    # The chance of so many labels, before and after the main object has been met.
    before, after = np.zeros(shape), np.zeros(shape)
    before[0] = 1.0
    for mask, weight, share, alike in zip(
        blocks, salience, rate, synonyms, strict=True
    ):
        # None of them where there is no block.
        names = np.where(alike, same[:, mask], rivals[:, mask])
        detection = np.where(mask > 0, share, 0.0)
        named, other = _convolve(before, names), _convolve(after, names)
        after = weight * named + (1 - detection) * after + detection * other
        before = (1 - detection) * before + detection * named
    by_size = chunk.lists * after[1:]
    by_size[0] += 1 - chunk.lists
    return by_size / by_size.sum(0)


def _first(values: Shaped[np.ndarray, "u D n"]) -> Shaped[np.ndarray, "n u D"]:
    return np.ascontiguousarray(np.moveaxis(values, 2, 0))


def _further(log_probability: Float[np.ndarray, "B n"]) -> Float[np.ndarray, "n B"]:
    """Return how probably a block that is named is named by one label, two, ..."""
    size = block_sizes(len(log_probability).bit_length() - 1)[:, None]
    ways = comb(np.maximum(size - 1, 0), np.arange(log_probability.shape[1]))
    return np.where(size > 0, ways * np.exp(log_probability), 0.0).T


def _convolve(
    chance: Float[np.ndarray, "m u D"], names: Float[np.ndarray, "n u D"]
) -> Float[np.ndarray, "m u D"]:
    """Return the chances once a block's names, one or more, have been added."""
    total = np.zeros(chance.shape)
    for number in range(1, len(chance)):
        total[number:] += chance[:-number] * names[number - 1]
    return total


def _coverage(
    chance: Float[np.ndarray, "n u D"], event: Bool[np.ndarray, "n u"], numbers: Streams
) -> Float[np.ndarray, "u S"]:
    """Return how probably what most of a panel say is among what is asked."""
    ladder = np.cumsum(chance, axis=0)[:-1]
    votes = np.zeros(chance.shape, np.int8)
    coverage = []
    for annotator in range(1, SIZES[-1] + 1):
        beyond = numbers.random(chance.shape[1:]) > ladder
        # One vote: of the steps below the number, each takes it from the one before.
        votes[0] += 1
        votes[:-1] -= beyond
        votes[1:] += beyond
        if annotator in SIZES:
            coverage.append(_shares(votes, event))
    coverage.append(_shares(chance, event))
    return np.stack(coverage, axis=1)


def _shares(
    votes: Float[np.ndarray, "n u D"] | Int[np.ndarray, "n u D"],
    event: Bool[np.ndarray, "n u"],
) -> Float[np.ndarray, " u"]:
    """Return how often the most voted is among what is asked; each that ties a part."""
    top = votes == votes.max(0)
    every = top.sum(0, dtype=np.int8)
    right = (top & event[:, :, None]).sum(0, dtype=np.int8)
    return (right / every).mean(1)


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
    slot = np.arange(places)[:, None]
    # Of some answers only the main label is known: they have no size.
    mask = named.mask | (1 << np.maximum(named.main, 0)) * (named.main >= 0)
    votes, sizes = (
        np.stack([np.bincount(space.unit, each * space.n, units) for each in event], 1)
        for event in (mask >> slot & 1, np.bitwise_count(named.mask) == slot + 1)
    )
    answers = np.bincount(space.unit, space.n, units) + named.none.astype(float)
    return LabelCounts(
        votes, answers, named.none, sizes.astype(np.int64), named.dataset_label_slot
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
    steps = [numbers.stratified(chunk.share.shape[1]) for _ in range(n)]
    step = np.clip(np.stack(steps, axis=2), _EDGE, 1 - _EDGE)
    drawn: Float[np.ndarray, "u D n"] = expit(odds + logit(step))
    return np.minimum(drawn, frequency)
