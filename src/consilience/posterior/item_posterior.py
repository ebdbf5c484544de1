r"""The posterior of the objects of all items, over all draws of the parameters.

For each item: how probable it is that two labels are one object, the partition of least
expected loss, how often each label's object is named, which label is the main one, and
three ambiguities. For all items together: how many hold several objects, and of how
many the main label is not the data set's own.

**The point estimate of the partition** is the one of least expected loss, of all that
there are, by pairs of labels (`consilience.objects.partitions`).

What is drawn of an item comes from a stream of its own, so that it is the same
whichever items stand beside it.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8

from consilience.continuing import Loop
from consilience.model.contract import Parameters
from consilience.objects.block_counts import Blocks
from consilience.objects.draws import (
    MAX_CELLS,
    BlockWeights,
    Chunk,
    Streams,
    block_weights,
    chunks,
    draw,
    single_candidate,
    streams,
    with_none,
)
from consilience.objects.items import Items
from consilience.objects.partitions import binder, block_indices, least_loss
from consilience.objects.response_panels import (
    SIZES,
    LabelCounts,
    levels,
    sizes_of_responses,
    verdicts,
)
from consilience.posterior.objects import LEADING, MAIN_LABEL, MAIN_OBJECT
from consilience.progress import Progress, Reporter, silent
from consilience.when_used import xr

TAUS = np.linspace(0.1, 0.9, 9)  # of the table object_counts
TAU = 0.5  # an object counts that more than half of annotators would name
GRID = np.linspace(0.0, 1.0, 101)  # grid of frequencies
PANELS = (1, 3, 5, 9, 25)  # annotators in all; beside the limit of ever more
PHASE = "objects of items"
MAX_NUMBERS = 30_000_000  # joint draws x candidates: 90 MB
TINY = np.finfo(float).tiny  # probabilities below have few digits


@dataclass(slots=True, eq=False, kw_only=True)
class ItemPosterior:
    """What items hold; C candidates at most, T thresholds, D draws, L losses."""

    beyond: Float[np.ndarray, "U C G"]
    valid: Float[np.ndarray, "U C"]
    present: Float[np.ndarray, "U C"]
    main_label: Float[np.ndarray, "U C"]
    main_share: Float[np.ndarray, "U C"]
    same: Float[np.ndarray, "U C C"]
    synonyms: Float[np.ndarray, "U C C"]
    counts: Float[np.ndarray, "U T K"]
    structure: Float[np.ndarray, " U"]
    naming: Float[np.ndarray, " U"]
    salience: Float[np.ndarray, " U"]
    object_of: Int[np.ndarray, "U C"]
    share: Float[np.ndarray, "U C"]
    there: Float[np.ndarray, "U C"]
    main: Float[np.ndarray, "U C"]
    panel_several: Float[np.ndarray, "U S"]
    panel_differs: Float[np.ndarray, "U S"]
    judged_several: Float[np.ndarray, "D A"]
    differs: Float[np.ndarray, "D A"]


class Record:
    """Worlds as they are drawn, to be kept in the tree."""

    CHANGES = ("_hundredths", "_levels", "_facts")

    def __init__(
        self, candidate: Int[np.ndarray, "U C"], draws: int, number: int
    ) -> None:
        unit, slot = np.nonzero(candidate >= 0)
        self._item, self._label = unit, candidate[unit, slot]
        self._first = np.searchsorted(unit, np.arange(len(candidate)))
        self._number = max(min(number, MAX_NUMBERS // (draws * len(unit))), 1)
        shape = (draws, self._number, len(unit))
        # What is the only candidate is all of it, in every world.
        self._hundredths = np.full(shape, 100, np.uint8)
        self._levels = np.full(shape, 100, np.uint8)
        self._facts = np.full(shape, LEADING | MAIN_OBJECT | MAIN_LABEL, np.uint8)

    def add(
        self,
        units: Int[np.ndarray, " u"],
        chunk: Chunk,
        level: Float[np.ndarray, "u D n"],
        which: int,
    ) -> None:
        """Keep the joint draws of some items."""
        cell = (self._first[units, None] + np.arange(level.shape[2])).ravel()
        for kept, values in (
            (self._hundredths, chunk.of_label * 100),
            (self._levels, level * 100),
            (self._facts, _facts(chunk)),
        ):
            some = values[:, : self._number].astype(np.uint8)
            kept[which, :, cell] = some.transpose(0, 2, 1).reshape(-1, self._number)

    def dataset(self) -> xr.Dataset:
        """Lay the joint draws out for the tree."""
        axes = ("parameter_draw", "item_draw", "cell")
        return xr.Dataset(
            {
                "hundredths": (axes, self._hundredths),
                "levels": (axes, self._levels),
                "facts": (axes, self._facts),
                "cell_item": ("cell", self._item.astype(np.int32)),
                "cell_label": ("cell", self._label.astype(np.int32)),
            }
        )


def _facts(chunk: Chunk) -> UInt8[np.ndarray, "u D n"]:
    main_object = chunk.object_of == chunk.salience.argmax(2)[:, :, None]
    leading = chunk.relative >= 1
    flags = leading * LEADING | main_object * MAIN_OBJECT
    flags |= chunk.is_main_label * MAIN_LABEL
    return flags.astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    posterior: ItemPosterior
    given: LabelCounts
    record: Record
    number: int
    weight: float
    numbers: Streams = field(repr=False)


def item_posterior(
    items: Items,
    names: Shaped[np.ndarray, " U"],
    given: LabelCounts,
    draws: list[Parameters],
    record: Record,
    *,
    number: int,
    seed: int,
    report: Reporter = silent,
) -> ItemPosterior:
    """Draw what items hold, and keep the joint draws."""
    own_slot = given.dataset_label
    units = len(own_slot)
    most = max([blocks.num_labels for blocks in items.blocks], default=1)
    total = number * len(draws)
    several = [blocks.unit for blocks in items.blocks]
    single = np.setdiff1d(np.arange(units), np.concatenate([*several, []]))
    posterior = _empty(own_slot, single, most, total)
    whole = _Run(posterior, given, record, number, 1 / len(draws), Streams(()))
    step, done = max(MAX_CELLS // number, 1), len(single)
    for first in range(0, len(single), step):
        some = single[first : first + step]
        run = replace(whole, numbers=streams(seed, names[some]))
        for which in range(len(draws)):
            chunk = single_candidate(some, number)
            chunk = _with_none(chunk, some, given, run.numbers)
            _add_single(run, some, chunk, which)
    for blocks, covariates in zip(items.blocks, items.covariates, strict=True):
        weights = [block_weights(blocks, covariates, each) for each in draws]
        parts = list(chunks(weights[0], blocks.num_labels, number))
        for part in Loop(PHASE, {"posterior": posterior, "record": record}, len(parts)):
            rows = parts[part]
            partition = np.zeros((len(rows), len(block_indices(blocks.num_labels))))
            run = replace(whole, numbers=streams(seed, names[blocks.unit[rows]]))
            for which, weight in enumerate(weights):
                chunk = draw(blocks, weight, rows, number, run.numbers)
                chunk = _with_none(chunk, blocks.unit[rows], given, run.numbers)
                partition += run.weight * chunk.partition
                _add(run, blocks, chunk, which)
            _add_point_partition(run, blocks, weights, rows, partition, seed, names)
            report(Progress(PHASE, done + int(rows[-1]) + 1, units))
        done += len(blocks.unit)
    num_labelled = max(int((own_slot >= 0).sum()), 1)
    posterior.judged_several /= max(units, 1)
    posterior.differs /= num_labelled
    return posterior


def _empty(
    dataset_label: Int[np.ndarray, " U"],
    single: Int[np.ndarray, " V"],
    most: int,
    total: int,
) -> ItemPosterior:
    """Return nothing as yet, but of items of one candidate: it, and nothing else."""
    units = len(dataset_label)
    first = np.zeros((units, most))
    first[single, 0] = 1.0
    counts = np.zeros((units, len(TAUS), most + 1))
    counts[single, :, 1] = 1.0
    panel_differs = np.zeros((units, len(SIZES) + 1))
    panel_differs[single[dataset_label[single] < 0]] = np.nan
    certain = ("main_label", "main_share", "share", "there", "main")
    return ItemPosterior(
        beyond=np.zeros((units, most, len(GRID))),
        counts=counts,
        object_of=np.where(first > 0, 0, -1),
        panel_several=np.zeros_like(panel_differs),
        panel_differs=panel_differs,
        **{name: first.copy() for name in certain},
        **{name: np.zeros((units, most)) for name in ("valid", "present")},
        **{name: np.zeros((units, most, most)) for name in ("same", "synonyms")},
        **{name: np.zeros(units) for name in ("structure", "naming", "salience")},
        **{
            name: np.zeros((total, len(PANELS) + 1))
            for name in ("judged_several", "differs")
        },
    )


def _with_none(
    chunk: Chunk, units: Int[np.ndarray, " u"], given: LabelCounts, numbers: Streams
) -> Chunk:
    none, answers = given.none, given.answers
    everywhere = float(none.sum() / max(answers.sum(), 1.0))
    return with_none(chunk, none[units], answers[units], everywhere, numbers)


def _add_single(
    run: _Run, units: Int[np.ndarray, " u"], chunk: Chunk, which: int
) -> None:
    """Add draws of items of one candidate, which some annotators do not name."""
    posterior, weight = run.posterior, run.weight
    _add_levels(run, units, chunk, which)
    if not chunk.none.any():
        return
    if which == 0:
        for values in (posterior.main_label, posterior.main_share, posterior.counts):
            values[units] = 0.0
        posterior.there[units] = 0.0
    posterior.main_label[units, 0] += weight * chunk.is_main_label[:, :, 0].mean(1)
    posterior.main_share[units, 0] += weight * chunk.main[:, :, 0].mean(1)
    there = chunk.frequency[:, :, 0]
    posterior.there[units, 0] += weight * (there > TAU).mean(1)
    for place, tau in enumerate(TAUS):
        named = weight * (there > tau).mean(1)
        posterior.counts[units, place, 0] += weight - named
        posterior.counts[units, place, 1] += named


def _add(run: _Run, blocks: Blocks, chunk: Chunk, which: int) -> None:
    posterior, n = run.posterior, blocks.num_labels
    units = blocks.unit[chunk.rows]
    labels = slice(0, n)
    weight = run.weight
    _add_levels(run, units, chunk, which)
    main = chunk.main
    posterior.main_label[units, labels] += weight * chunk.is_main_label.mean(1)
    posterior.main_share[units, labels] += weight * main.mean(1)
    posterior.synonyms[units, labels, labels] += weight * _synonyms(chunk)
    some = slice(which * run.number, (which + 1) * run.number)
    # The small axis comes first: what follows is done to whole arrays of draws.
    frequency = np.ascontiguousarray(np.moveaxis(chunk.frequency, 2, 0))
    for place, tau in enumerate(TAUS):
        number = (frequency > tau).sum(0)
        posterior.counts[units, place, : n + 1] += weight * _shares(number, n + 1)
    posterior.naming[units] += weight * _entropy(chunk.share, chunk.main).mean(1)
    of_objects = _entropy(chunk.salience, chunk.salience)
    posterior.salience[units] += weight * of_objects.mean(1)
    dataset_label = run.given.dataset_label[units]
    votes = np.asarray(blocks.main)[chunk.rows][:, 1 << np.arange(n)]
    other = (np.arange(n) != dataset_label[:, None]) & (dataset_label >= 0)[:, None]
    posterior.differs[some] += completed(votes, main, other, run.numbers)
    several, differs = verdicts(chunk, dataset_label, run.numbers)
    posterior.panel_several[units] += weight * several
    posterior.panel_differs[units] += weight * differs
    sizes = run.given.sizes[units, :n]
    size = np.moveaxis(sizes_of_responses(chunk), 0, 2)
    many = np.broadcast_to(np.arange(n) > 0, other.shape)
    posterior.judged_several[some] += completed(sizes, size, many, run.numbers)


def _add_levels(
    run: _Run, units: Int[np.ndarray, " u"], chunk: Chunk, which: int
) -> None:
    """Draw up to which threshold labels are valid, and keep these draws."""
    posterior, n = run.posterior, chunk.share.shape[2]
    level = levels(chunk, units, run.given, run.numbers)
    run.record.add(units, chunk, level, which)
    # How many draws lie beyond each grid point: a histogram, summed from its end.
    cell = np.minimum((level * (len(GRID) - 1)).astype(int), len(GRID) - 2)
    row = np.arange(len(units))[:, None, None] * n + np.arange(n)
    code = (row * (len(GRID) - 1) + cell).ravel()
    size = len(units) * n * (len(GRID) - 1)
    histogram = np.bincount(code, minlength=size).reshape(len(units), n, -1)
    after = np.cumsum(histogram[:, :, ::-1], axis=2)[:, :, ::-1] / run.number
    posterior.beyond[units, :n, : len(GRID) - 1] += run.weight * after
    posterior.valid[units, :n] += run.weight * (level > TAU).mean(1)
    posterior.present[units, :n] += run.weight * (chunk.of_label > TAU).mean(1)


def _synonyms(chunk: Chunk) -> Float[np.ndarray, "u n n"]:
    """Return in which share of an item's draws two labels are synonyms."""
    places = range(chunk.object_of.shape[2])
    are = np.take_along_axis(chunk.synonyms, chunk.object_of, axis=2)
    shares = [
        (chunk.object_of[:, :, one, None] == chunk.object_of) & are for one in places
    ]
    return np.stack([share.mean(1) for share in shares], axis=1)


def _shares(value: Int[np.ndarray, "u D"], number: int) -> Float[np.ndarray, "u n"]:
    """Return in which share of an item's draws a value is 0, 1, and so on."""
    code = np.arange(len(value))[:, None] * number + value
    count = np.bincount(code.ravel(), minlength=len(value) * number)
    return count.reshape(-1, number) / value.shape[1]


def _entropy(
    share: Float[np.ndarray, "u D n"], weight: Float[np.ndarray, "u D n"]
) -> Float[np.ndarray, "u D"]:
    logs = np.log(np.where(share > 0, share, 1.0))
    return -(weight * logs).sum(2)


def completed(
    given: Int[np.ndarray, "u n"],
    chance: Float[np.ndarray, "u D n"],
    event: Bool[np.ndarray, "u n"],
    numbers: Streams,
) -> Float[np.ndarray, "D A"]:
    """Count items of which panels of `PANELS` most often say what is asked, by draw.

    A panel is those who have answered, and new annotators up to its size. Ties are
    broken at random.
    """
    counts, chance = [], chance / chance.sum(2, keepdims=True)
    among_tied = numbers.random(chance.shape)
    for panel in PANELS:
        new = np.maximum(panel - given.sum(1), 0)
        votes = given[:, None] + numbers.multinomial(new, chance)
        top = (votes + among_tied).argmax(2)
        counts.append(np.take_along_axis(event, top, axis=1).sum(0))
    counts.append(np.take_along_axis(event, chance.argmax(2), axis=1).sum(0))
    return np.stack(counts, axis=1).astype(float)


def _add_point_partition(
    run: _Run,
    blocks: Blocks,
    weights: list[BlockWeights],
    rows: Int[np.ndarray, " u"],
    partition: Float[np.ndarray, "u P"],
    seed: int,
    names: Shaped[np.ndarray, " U"],
) -> None:
    """Fill in what is exact, and draw the labels of the estimated partition.

    A draw of the parameters counts by how probable it makes that partition.
    """
    posterior, n, units = run.posterior, blocks.num_labels, blocks.unit[rows]
    index = block_indices(n)
    inside = ((index[:, :, None] >> np.arange(n)) & 1).astype(float)
    together = np.einsum("pbi,pbj->pij", inside, inside).reshape(len(index), -1)
    logs = np.log(np.where(partition > 0, partition, 1.0))
    posterior.structure[units] = -(partition * logs).sum(1)
    posterior.same[units, :n, :n] = (partition @ together).reshape(-1, n, n)
    chosen = least_loss(binder(partition, n))
    posterior.object_of[units, :n] = inside[chosen].argmax(1)
    # Items are drawn one behind the other.
    place = np.arange(len(units))
    mean = partition[place, chosen]
    numbers = streams(seed, names[units])
    for weight in weights:
        given = draw(blocks, weight, rows, run.number, numbers, chosen)
        given = _with_none(given, units, run.given, numbers)
        by_draw = given.partition[place, chosen]
        # Where no draw makes it probable, each counts as much.
        ratio = np.divide(by_draw, mean, np.ones_like(mean), where=mean > TINY)
        share = run.weight * ratio[:, None]
        top = _shares(given.salience.argmax(2), n)
        posterior.share[units, :n] += share * given.share.mean(1)
        posterior.there[units, :n] += share * (given.frequency > TAU).mean(1)
        posterior.main[units, :n] += share * top
