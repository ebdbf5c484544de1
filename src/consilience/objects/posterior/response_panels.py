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

References
----------
Tsipras et al. (2020), section 3 and appendix B, for the rule.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import comb

from consilience.objects.layout.block_counts import block_sizes
from consilience.objects.posterior.draws import Chunk
from consilience.objects.posterior.streams import Streams

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 25)  # of panels; beside ever more annotators


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What panels of `SIZES`, and last of ever more annotators, would find."""

    several: Float[np.ndarray, "u S"]
    differs: Float[np.ndarray, "u S"]


def verdicts(
    chunk: Chunk, dataset_label: Int[np.ndarray, " u"], numbers: Streams
) -> Verdicts:
    """Draw a panel of each size for each draw of an item."""
    size, main = sizes_of_responses(chunk), _first(chunk.main)
    place = np.arange(len(size))[:, None]
    several = np.broadcast_to(place > 0, (len(size), len(dataset_label)))
    differs = _coverage(main / main.sum(0), place != dataset_label, numbers)
    return Verdicts(
        several=_coverage(size, several, numbers),
        differs=np.where(dataset_label[:, None] >= 0, differs, np.nan),
    )


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
    shares: Float[np.ndarray, "n u D"] = by_size / by_size.sum(0)
    return shares


def _first(values: Shaped[np.ndarray, "u D n"]) -> Shaped[np.ndarray, "n u D"]:
    return np.ascontiguousarray(np.moveaxis(values, 2, 0))


def _further(log_probability: Float[np.ndarray, "B n"]) -> Float[np.ndarray, "n B"]:
    """Return how probably a block that is named is named by one label, two, ..."""
    size = block_sizes(len(log_probability).bit_length() - 1)[:, None]
    ways = comb(np.maximum(size - 1, 0), np.arange(log_probability.shape[1]))
    probability: Float[np.ndarray, "n B"] = np.where(
        size > 0, ways * np.exp(log_probability), 0.0
    ).T
    return probability


def _convolve(
    chance: Float[np.ndarray, "m u D"], names: Float[np.ndarray, "n u D"]
) -> Float[np.ndarray, "m u D"]:
    """Return the chances once a block's names, one or more, have been added."""
    total = np.zeros(chance.shape)
    for number in range(1, len(chance)):
        total[number:] += chance[:-number] * names[number - 1]
    return total


def _coverage(
    chance: Float[np.ndarray, "n u D"],
    event: Bool[np.ndarray, "n u"],
    numbers: Streams,
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
    shares: Float[np.ndarray, " u"] = (right / every).mean(1)
    return shares
