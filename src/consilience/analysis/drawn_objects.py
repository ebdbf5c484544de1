"""Joint draws of a fit of objects as bits, sixty-four draws to a word.

What is true in a draw of an item is a bit, so that two things at once are an AND, and
the probability of it a count of bits. Letters: N candidates, I items, D draws of the
parameters, w words for each.

**Sums over items for the evaluation of models, where items hold objects.** Of each
metric and subset the two sums of a ratio: the probability that the model is right and
the item in the subset, and that the item is in it, both from the joint draws of the
item.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, UInt64

from consilience.analysis.proposals import Proposals, set_sums
from consilience.analysis.shares import Cell, Sums
from consilience.posterior import Fit
from consilience.posterior.objects import LEADING, MAIN_LABEL, MAIN_OBJECT, joint_draws

type Bits = UInt64[np.ndarray, "_ D w"]
_WORD = 64
_ROWS = 4096  # of bits that are unpacked at once
_HUNDRED = 100
_BY_NUMBER = ("one_object", "several_objects", "two_objects", "three_objects")
_WITHIN: Mapping[str, tuple[str, ...]] = {
    "accuracy": (*_BY_NUMBER, "four_objects", "other_main_label"),
    "main_object": (*_BY_NUMBER, "four_objects"),
    "main_label": _BY_NUMBER[:2],
    "top": _BY_NUMBER[:2],
    "dataset_accuracy": (
        *_BY_NUMBER[:2],
        "other_main_label",
        "other_main_label_several",
        *_BY_NUMBER[2:],
        "four_objects",
        "label_right",
        "label_wrong",
    ),
    "dataset_top": _BY_NUMBER[:2],
}
BASELINE = ("several_objects", "other_main_label", "other_main_label_several")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DrawnObjects:
    """What some items hold in each draw."""

    labels: pd.Index
    key: Int[np.ndarray, " N"]
    valid: Bits
    there: Bits
    leading: Bits
    main_object: Bits
    main_label: Bits
    numbers: tuple[Bits, ...]
    names: tuple[Bits, ...]
    drawn: int

    def bits_of(self, plane: Bits, label: Int[np.ndarray, " I"]) -> Bits:
        """Return the bits of one label of each item; none where it is no candidate."""
        wanted = np.arange(len(label)) * len(self.labels) + label
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        is_candidate = (self.key[place] == wanted) & (label >= 0)
        return np.where(is_candidate[:, None, None], plane[place], np.uint64(0))

    def validity(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "D A I"]:
        """P(a label of each item is valid), by draw of the parameters."""
        bits = [self.bits_of(self.valid, of_model) for of_model in label]
        return np.stack([self.probability(each) for each in bits], axis=1)

    def jointly(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, "A I"]
    ) -> Float[np.ndarray, "D A I"]:
        """P(two labels of each item are valid), by draw of the parameters."""
        both = [
            self.probability(self.bits_of(self.valid, a) & self.bits_of(self.valid, b))
            for a, b in zip(label, other, strict=True)
        ]
        return np.stack(both, axis=1)

    def number(self) -> Float[np.ndarray, "D I"]:
        """Return the expected number of valid labels, by draw of the parameters."""
        each = [k * self.probability(bits) for k, bits in enumerate(self.names)]
        return np.sum(each, axis=0)

    def probability(self, bits: Bits) -> Float[np.ndarray, "D _"]:
        """Return the share of joint draws with the bit set, by draw of parameters."""
        return np.bitwise_count(bits).sum(2, dtype=np.int64).T / self.drawn

    def items_with(self, bits: Bits) -> Float[np.ndarray, " W"]:
        """Return the number of items with the bit set, in each joint draw.

        Draws of the items given one draw of the parameters lie beside each other.
        """
        planes = bits.reshape(len(bits), -1).view(np.uint8)
        words = sum(
            np.unpackbits(planes[first : first + _ROWS], axis=1, bitorder="little")
            .sum(0, dtype=float)
            for first in range(0, len(planes), _ROWS)
        )  # fmt: skip
        of_draws = np.reshape(words, (bits.shape[1], -1))[:, : self.drawn]
        return of_draws.ravel()

    def total(self, numbers: tuple[Bits, ...]) -> Float[np.ndarray, " W"]:
        """Return the sum over items of `numbers` or `names`, in each joint draw."""
        each = [k * self.items_with(bits) for k, bits in enumerate(numbers)]
        return np.sum(each, axis=0)

    def at_least(self, number: int, numbers: tuple[Bits, ...] | None = None) -> Bits:
        """Return whether there are so many objects, or of `names`, or more, by item."""
        union = np.zeros_like(self.numbers[0])
        for bits in (self.numbers if numbers is None else numbers)[number:]:
            union |= bits
        return union

    @property
    def every(self) -> Bits:
        """The bits that stand for draws, without the padding."""
        return self.at_least(0)


def drawn_objects(
    fit: Fit,
    items: pd.Index,
    labels: pd.Index,
    threshold: float | Float[np.ndarray, " D"],
) -> DrawnObjects:
    """Lay out the joint draws of some items, with a threshold for all, or for each."""
    joint = joint_draws(fit.data)
    place = items.get_indexer(pd.Index(joint.items))[joint.item]
    code = labels.get_indexer(pd.Index(joint.labels))[joint.label]
    key = place.astype(np.int64) * len(labels) + code
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.argsort(key[kept], kind="stable")]
    facts = joint.facts[:, :, kept]
    # A share is rounded down, and never the threshold: the hundredth it begins is.
    least = np.maximum(np.round(np.reshape(threshold, (-1, 1, 1)) * _HUNDRED), 1)
    there, valid = (
        share[:, :, kept] >= least for share in (joint.hundredths, joint.levels)
    )
    leading = (facts & LEADING) > 0
    start = np.searchsorted(place[kept], np.arange(len(items)))
    return DrawnObjects(
        labels=labels,
        key=key[kept],
        valid=pack_bits(valid),
        there=pack_bits(there),
        leading=pack_bits(leading),
        main_object=pack_bits((facts & MAIN_OBJECT) > 0),
        main_label=pack_bits((facts & MAIN_LABEL) > 0),
        numbers=_count_bits(there & leading, start),
        names=_count_bits(valid, start),
        drawn=valid.shape[1],
    )


def _count_bits(
    facts: Bool[np.ndarray, "D S N"], start: Int[np.ndarray, " I"]
) -> tuple[Bits, ...]:
    """Return the draws in which 0, 1, 2, ... of an item's candidates are so."""
    number = np.add.reduceat(facts.astype(np.uint8), start, axis=2)
    return tuple(pack_bits(number == value) for value in range(number.max() + 1))


def pack_bits(facts: Bool[np.ndarray, "D S M"]) -> Bits:
    """Pack what is true of each draw into words."""
    draws, drawn, cells = facts.shape
    words = -(-drawn // _WORD)
    wide = np.zeros((cells, draws, words * _WORD), bool)
    wide[:, :, :drawn] = facts.transpose(2, 0, 1)
    return np.packbits(wide, axis=2, bitorder="little").view(np.uint64)


def object_sums(
    proposals: Proposals, truth: DrawnObjects
) -> Iterator[tuple[Cell, Sums]]:
    """Give of each metric and subset both sums of the ratio."""
    within = subsets(proposals, truth)
    depth = proposals.label.shape[2]
    hits: dict[str, list[Bits]] = {}
    for model in range(len(proposals.models)):
        for metric, bits in _hits(proposals, truth, model):
            hits.setdefault(metric, []).append(bits)
    for metric, by_model in hits.items():
        name = f"{metric}_{depth}" if metric.endswith("top") else metric
        for subset, members, whole in _wholes(truth, within, "all", *_WITHIN[metric]):
            above = np.stack([truth.probability(one & members) for one in by_model], 1)
            yield (name, subset), (above, np.broadcast_to(whole, above.shape))
    first = truth.validity(proposals.fitted_label[:, :, 0])
    yield from set_sums(proposals, truth, np.ones_like(first))


def _wholes(
    truth: DrawnObjects, within: Mapping[str, Bits], *subsets: str
) -> Iterator[tuple[str, Bits, Float[np.ndarray, "D 1 I"]]]:
    """Give of each subset that has an item its members, and how probable they are."""
    for subset in subsets:
        if subset in within:
            whole = truth.probability(within[subset])[:, None]
            if whole.any():
                yield subset, within[subset], whole


def subsets(proposals: Proposals, truth: DrawnObjects) -> dict[str, Bits]:
    """Return the draws in which each item belongs to a subset."""
    every = truth.every
    several, three, four = (truth.at_least(number) for number in (2, 3, 4))
    members = {
        "all": every,
        "one_object": every & ~several,
        "several_objects": several,
        "two_objects": several & ~three,
        "three_objects": three & ~four,
        "four_objects": four,
    }
    if proposals.dataset is None:
        return members
    dataset_label = proposals.fitted_dataset
    right = truth.bits_of(truth.valid, dataset_label)
    other = other_main_label(truth, dataset_label)
    return members | {
        "label_right": right,
        "label_wrong": every & ~right,
        "other_main_label": other,
        "other_main_label_several": other & several,
    }


def other_main_label(truth: DrawnObjects, dataset_label: Int[np.ndarray, " I"]) -> Bits:
    """Return the draws in which each item's main label is not the data set's."""
    return truth.every & ~truth.bits_of(truth.main_label, dataset_label)


def random_object(
    proposals: Proposals, truth: DrawnObjects
) -> Iterator[tuple[Cell, Sums]]:
    """Give both sums of a baseline: the main label of a valid object at random."""
    if proposals.dataset is None:
        return
    within = subsets(proposals, truth)
    dataset_label = proposals.fitted_dataset
    called = truth.bits_of(truth.there & truth.leading, dataset_label)
    for subset, members, whole in _wholes(truth, within, *BASELINE):
        above = np.zeros_like(whole)
        for number, bits in enumerate(truth.numbers[1:], 1):
            above += truth.probability(called & members & bits)[:, None] / number
        yield ("dataset_accuracy", subset), (above, whole)


def _hits(
    proposals: Proposals, truth: DrawnObjects, model: int
) -> Iterator[tuple[str, Bits]]:
    """Yield the draws in which a model is right, by metric."""
    first, *others = proposals.fitted_label[model].T
    valid = truth.bits_of(truth.valid, first)
    yield "accuracy", valid
    yield "main_object", truth.bits_of(truth.main_object, first)
    yield "main_label", truth.bits_of(truth.main_label, first)
    if others:
        among = valid.copy()
        for label in others:
            among |= truth.bits_of(truth.valid, label)
        yield "top", among
    if proposals.dataset is None:
        return
    every = truth.every
    hit = proposals.label[model] == proposals.dataset[:, None]
    yield "dataset_accuracy", np.where(hit[:, :1, None], every, np.uint64(0))
    if others:
        yield "dataset_top", np.where(hit.any(1)[:, None, None], every, np.uint64(0))
