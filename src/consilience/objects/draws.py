"""The objects of each item, given parameters: exact sums where possible, else draws.

Probabilities of partitions, of numbers of objects and of two labels being one object
are exact: all partitions are enumerated. What depends on continuous quantities as well
(how often an object is named, which is the main one) is drawn from the exact posterior:
a partition and which responses are exhaustive, then salience, shares of names, and how
often each object is seen, all from their closed forms.

**Random numbers of many items at once, of each from a stream of its own.** So what is
drawn of an item does not depend on which others stand beside it: drawn again alone, or
among more, it is the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import expit, log_expit, softmax

from consilience.model.contract import Parameters
from consilience.objects.block_counts import Blocks, starts
from consilience.objects.covariates import BlockCovariates
from consilience.objects.label_counts import (
    allocation_weights,
    detection_log_odds,
    duplicate_name_tables,
    duplicate_weights,
    high_log_odds,
    pseudo_votes,
    style_beta,
    sums_by_size,
)
from consilience.objects.partitions import BY_MATRIX, block_indices, enumerated, members
from consilience.truth.arrays import on_host
from consilience.truth.named import MAX_LABELS

# Allocations x partitions, and draws x candidates x candidates, that are held at once:
# few enough to stay near the processor, and to be memory that is used again.
MAX_CELLS = 500_000
# Imagined annotators of each item, who answer none of these as often as all do. Their
# number is judgement: few beside five answers.
IMAGINED = 2.0
TINY = 1e-12  # no shape of a gamma distribution is smaller


@dataclass(frozen=True, eq=False, kw_only=True)
class Chunk:
    """What some items of n candidates hold, given one draw of the parameters."""

    rows: Int[np.ndarray, " u"]
    partition: Float[np.ndarray, "u P"]
    blocks: Int[np.ndarray, "u D n"]
    salience: Float[np.ndarray, "u D n"]
    frequency: Float[np.ndarray, "u D n"]
    object_of: Int[np.ndarray, "u D n"]
    share: Float[np.ndarray, "u D n"]
    rate: Float[np.ndarray, "u D n"]
    lists: Float[np.ndarray, "u D"]
    none: Float[np.ndarray, "u D"]
    synonyms: Bool[np.ndarray, "u D n"]
    duplicates: Float[np.ndarray, "2 B n"]

    @cached_property
    def main(self) -> Float[np.ndarray, "u D n"]:
        """Share of annotators whose main label each candidate is."""
        of_object = np.take_along_axis(self.salience, self.object_of, axis=2)
        naming = 1 - self.none[:, :, None]
        return of_object * self.share * naming

    @cached_property
    def is_main_label(self) -> Bool[np.ndarray, "u D n"]:
        """Whether most give each candidate as the main label; not if most give none."""
        places = np.arange(self.share.shape[2])
        first = places == self.main.argmax(2)[:, :, None]
        return first & (self.main >= self.none[:, :, None])

    @cached_property
    def of_label(self) -> Float[np.ndarray, "u D n"]:
        """Share of annotators who name the object of each candidate."""
        return np.take_along_axis(self.frequency, self.object_of, axis=2)

    @cached_property
    def relative(self) -> Float[np.ndarray, "u D n"]:
        """Share of each candidate over that of its object's most used name."""
        return self.share / _highest(self.object_of, self.share)


def single_candidate(rows: Int[np.ndarray, " u"], number: int) -> Chunk:
    """Return what items of one candidate hold: it, and nothing else."""
    whole = np.ones((len(rows), number, 1))
    return Chunk(
        rows=rows,
        partition=np.ones((len(rows), 1)),
        blocks=np.ones(whole.shape, int),
        salience=whole,
        frequency=whole,
        object_of=np.zeros(whole.shape, int),
        share=whole,
        rate=whole,
        lists=whole[:, :, 0],
        none=np.zeros(whole.shape[:2]),
        synonyms=np.zeros(whole.shape, bool),
        duplicates=np.zeros((2, 2, 1)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """A generator for each item; what it gives has the items along the first axis."""

    each: tuple[np.random.Generator, ...]

    def random(self, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        """Return numbers uniform from 0 to 1."""
        return np.stack([one.random(shape[1:]) for one in self.each])

    def stratified(self, number: int) -> Float[np.ndarray, "u D"]:
        """Return so many numbers from 0 to 1 of each, evenly spaced, in any order."""
        steps = np.arange(number)
        return np.stack(
            [one.permutation((steps + one.random()) / number) for one in self.each]
        )

    def log_gamma(
        self, shape: Float[np.ndarray, "u ..."]
    ) -> Float[np.ndarray, "u ..."]:
        """Return logarithms of numbers of gamma distributions of scale one.

        A number of a tiny shape is too small for a float; its logarithm is not. It is
        drawn as that of a shape larger by one, times a power of a uniform number.
        """
        shape = np.maximum(shape, TINY)
        pairs = list(zip(self.each, shape, strict=True))
        larger = np.stack([one.standard_gamma(a + 1) for one, a in pairs])
        power = np.stack([one.standard_exponential(a.shape) / a for one, a in pairs])
        return np.log(larger) - power

    def beta(
        self, yes: Float[np.ndarray, "u ..."], no: Float[np.ndarray, "u ..."]
    ) -> Float[np.ndarray, "u ..."]:
        """Return numbers of beta distributions."""
        pairs = zip(self.each, yes, no, strict=True)
        return np.stack([one.beta(a, b) for one, a, b in pairs])

    def multinomial(
        self, number: Int[np.ndarray, " u"], chance: Float[np.ndarray, "u D n"]
    ) -> Int[np.ndarray, "u D n"]:
        """Return how often each came, in so many trials of each item."""
        counts = np.zeros(chance.shape, np.int64)
        for at in np.flatnonzero(number):
            counts[at] = self.each[at].multinomial(number[at], chance[at])
        return counts


def with_none(
    chunk: Chunk,
    none: Int[np.ndarray, " u"],
    answers: Float[np.ndarray, " u"],
    everywhere: float,
    generator: Streams,
) -> Chunk:
    """Draw how many annotators answer *none of these*, and return the shares of all."""
    if not everywhere:
        return chunk
    yes = none + IMAGINED * everywhere
    no = answers - none + IMAGINED * (1 - everywhere)
    shape = chunk.lists.shape
    share = generator.beta(
        np.broadcast_to(yes[:, None], shape), np.broadcast_to(no[:, None], shape)
    )
    frequency = chunk.frequency * (1 - share[:, :, None])
    return replace(chunk, frequency=frequency, none=share)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BlockWeights:
    """Log weights of items of n candidates under one draw of the parameters."""

    phi: Float[np.ndarray, "V B"]
    rest: Float[np.ndarray, " V"]
    start: Int[np.ndarray, " U1"]
    votes: Float[np.ndarray, "U n"]
    names: Float[np.ndarray, "U n"]
    high_detection: Float[np.ndarray, "U B"]
    single_label: Float[np.ndarray, "2 U"]
    detection: Float[np.ndarray, " 2"]
    synonyms: Float[np.ndarray, "U B"]
    spared: Float[np.ndarray, " B"]
    duplicates: Float[np.ndarray, "2 B n"]
    sums: Float[np.ndarray, "U n"]


def block_weights(
    blocks: Blocks, covariates: BlockCovariates, parameters: Parameters
) -> BlockWeights:
    """Return the log weights of blocks, on the host."""
    counts, columns, values = on_host((blocks, covariates, dict(parameters)))
    phi, rest = weights = allocation_weights(counts, columns, values)
    rivals, synonyms = duplicate_weights(counts, columns, values)
    duplicates = duplicate_name_tables(values, counts.num_labels)
    return BlockWeights(
        phi=phi,
        rest=rest,
        start=starts(counts),
        votes=pseudo_votes(columns, values, "salience"),
        names=pseudo_votes(columns, values, "naming"),
        high_detection=high_log_odds(columns, values),
        single_label=np.stack(style_beta(columns.item, values)),
        detection=np.stack(detection_log_odds(values)),
        synonyms=synonyms - rivals,
        spared=duplicates[1, :, 0] - duplicates[0, :, 0],
        duplicates=duplicates,
        sums=sums_by_size(counts, columns, values, weights),
    )


def chunks(
    weights: BlockWeights, num_labels: int, number: int
) -> Iterator[Int[np.ndarray, " u"]]:
    """Give items a few at a time, so that partitions and draws fit in memory."""
    cells = np.diff(weights.start) * len(block_indices(num_labels))
    cells += number * num_labels**2
    total = np.cumsum(cells)
    first = 0
    while first < len(cells):
        before = total[first - 1] if first else 0
        last = int(np.searchsorted(total, before + MAX_CELLS, side="right"))
        last = max(last, first + 1)
        yield np.arange(first, last)
        first = last


def draw(
    blocks: Blocks,
    weights: BlockWeights,
    rows: Int[np.ndarray, " u"],
    number: int,
    generator: Streams,
    only: Int[np.ndarray, " u"] | None = None,
) -> Chunk:
    """Draw what some items hold."""
    n = blocks.num_labels
    some = slice(weights.start[rows[0]], weights.start[rows[-1] + 1])
    start = weights.start[rows] - some.start
    item = np.repeat(
        np.arange(len(rows)), np.diff(np.append(start, some.stop - some.start))
    )
    logs = _log_weights(weights.phi[some], weights.rest[some], n)
    chance = _chances(logs, start, item)
    partition = np.add.reduceat(chance, start, axis=0)
    if only is None:
        allocation, which = _chosen(chance, len(rows), number, generator)
    else:
        given = _chances(logs[np.arange(len(logs)), only[item]][:, None], start, item)
        allocation, which = _chosen(given, len(rows), number, generator)
        which = which + only[:, None]
    masks = block_indices(n)[which]
    cells = (rows[:, None, None], masks)
    inside, there = members(n), masks > 0
    low, high = (float(odds) for odds in weights.detection)
    singles = np.asarray(blocks.exhaustive_singles)[some]
    alone = (singles @ inside.T)[allocation[:, :, None], masks]
    odds = weights.synonyms[cells] + alone * weights.spared[masks]
    synonyms = generator.random(odds.shape) < expit(odds)
    missed = np.asarray(blocks.missed)[cells]
    missed = missed + singles.sum(1)[allocation][:, :, None] - alone
    detected = np.asarray(blocks.detected)[cells]
    odds = weights.high_detection[cells]
    odds = odds + detected * (log_expit(high) - log_expit(low))
    odds += missed * (log_expit(-high) - log_expit(-low))
    is_high = generator.random(odds.shape) < expit(odds)
    rate = expit(np.where(is_high, high, low))
    votes = (weights.votes @ inside.T + np.asarray(blocks.main))[cells]
    logs = generator.log_gamma(np.where(there, votes, 1.0))
    salience = softmax(np.where(there, logs, -np.inf), axis=2)
    lists = _listing(blocks, weights, rows, some.start + allocation, generator)
    frequency = salience + (1 - salience) * lists[..., None] * rate
    object_of = _object_of(n)[which]
    mask_of = np.take_along_axis(masks, object_of, axis=2)
    named = np.asarray(blocks.names)[rows[:, None, None], mask_of, np.arange(n)]
    logs = generator.log_gamma(weights.names[rows][:, None] + named)
    gamma = np.exp(logs - _highest(object_of, logs))
    code = _code(object_of)
    return Chunk(
        rows=rows,
        partition=partition,
        blocks=masks,
        salience=salience,
        frequency=np.where(there, frequency, 0.0),
        object_of=object_of,
        share=gamma / np.bincount(code.ravel(), gamma.ravel(), code.size)[code],
        rate=rate,
        lists=lists,
        none=np.zeros(lists.shape),
        synonyms=synonyms,
        duplicates=weights.duplicates,
    )


def _log_weights(
    phi: Float[np.ndarray, "v B"], rest: Float[np.ndarray, " v"], num_labels: int
) -> Float[np.ndarray, "v P"]:
    """Return the log weight of each partition under each allocation."""
    if num_labels <= BY_MATRIX:
        return phi @ enumerated(num_labels).incidence + rest[:, None]
    # Weights of the empty block are zero, so padding adds nothing.
    index = block_indices(num_labels)
    log_weights = np.repeat(rest[:, None], len(index), axis=1)
    for column in index.T:
        log_weights += phi[:, column]
    return log_weights


def _chances(
    logs: Float[np.ndarray, "v P"],
    start: Int[np.ndarray, " u"],
    item: Int[np.ndarray, " v"],
) -> Float[np.ndarray, "v P"]:
    """Return the probabilities of the log weights of each item."""
    highest = np.maximum.reduceat(logs.max(1), start)
    chance = np.exp(logs - highest[item][:, None])
    total = np.add.reduceat(chance.sum(1), start)
    return chance / total[item][:, None]


def _chosen(
    chance: Float[np.ndarray, "v P"], items: int, number: int, generator: Streams
) -> tuple[Int[np.ndarray, "u D"], Int[np.ndarray, "u D"]]:
    """Draw allocation and partition of each item, evenly spread over what is likely."""
    ladder = np.cumsum(chance.ravel())
    step = generator.stratified(number)
    target = (np.arange(items)[:, None] + step) * (ladder[-1] / items)
    place = np.minimum(np.searchsorted(ladder, target), chance.size - 1)
    return place // chance.shape[1], place % chance.shape[1]


def _code(object_of: Int[np.ndarray, "u D n"]) -> Int[np.ndarray, "u D n"]:
    """Return a code of the object of each candidate, one for all items and draws."""
    first = np.arange(object_of.size).reshape(object_of.shape)[:, :, :1]
    return first + object_of


def _highest(
    object_of: Int[np.ndarray, "u D n"], value: Float[np.ndarray, "u D n"]
) -> Float[np.ndarray, "u D n"]:
    """Return the highest value of the names of each candidate's object."""
    code = _code(object_of)
    maxima = np.full(code.size, -np.inf)
    np.maximum.at(maxima, code.ravel(), value.ravel())
    return maxima[code]


@lru_cache(maxsize=MAX_LABELS)
def _object_of(num_labels: int) -> Int[np.ndarray, "P n"]:
    """Return the object of each candidate, by partition."""
    is_member = (block_indices(num_labels)[:, :, None] >> np.arange(num_labels)) & 1
    return np.asarray(is_member.argmax(1))


def _listing(
    blocks: Blocks,
    weights: BlockWeights,
    rows: Int[np.ndarray, " u"],
    allocation: Int[np.ndarray, "u D"],
    generator: Streams,
) -> Float[np.ndarray, "u D"]:
    """Draw the share of annotators who list."""
    yes, no = weights.single_label[:, rows[:, None]]
    single_label = np.asarray(blocks.single_label)[allocation]
    exhaustive = np.asarray(blocks.answered)[rows][:, None] - single_label
    return 1 - generator.beta(yes + single_label, no + exhaustive)


def streams(seed: int, names: Iterable[Any] | Shaped[np.ndarray, " u"]) -> Streams:
    """Return the streams of some items, each seeded by a digest of its name."""
    each = []
    for name in names:
        digest = blake2b(str(name).encode(), digest_size=8).digest()
        parts = int.from_bytes(digest[:4]), int.from_bytes(digest[4:])
        each.append(np.random.default_rng([seed, *parts]))
    return Streams(tuple(each))
