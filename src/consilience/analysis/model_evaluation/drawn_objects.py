"""Joint draws of a fit of objects as bits, sixty-four draws to a word.

What is true in a draw of an item is a bit, so that two things at once are an AND, and
the probability of it a count of bits. Letters: N candidates, I items, D draws of the
parameters, w words for each.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, UInt64

from consilience.posterior import Fit
from consilience.posterior.objects.joint_draws import (
    LEADING,
    MAIN_LABEL,
    MAIN_OBJECT,
    joint_draws,
)

type Bits = UInt64[np.ndarray, "_ D w"]

_WORD = 64
_HUNDRED = 100


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

    def probability(self, bits: Bits) -> Float[np.ndarray, "D _"]:
        """Return the share of joint draws with the bit set, by draw of parameters."""
        share: Float[np.ndarray, "D _"] = (
            np.bitwise_count(bits).sum(2, dtype=np.int64).T / self.drawn
        )
        return share

    def expected(self, numbers: tuple[Bits, ...]) -> Float[np.ndarray, "D I"]:
        """Return the mean number of `numbers` or `names` over the joint draws."""
        return sum(
            (
                number * self.probability(bits)
                for number, bits in enumerate(numbers[1:], 1)
            ),
            start=np.zeros((self.valid.shape[1], len(self.numbers[0]))),
        )

    def at_least(self, number: int, numbers: tuple[Bits, ...] | None = None) -> Bits:
        """Return whether there are so many objects, or of `names`, or more, by item."""
        union = np.zeros_like(self.numbers[0])
        for bits in (self.numbers if numbers is None else numbers)[number:]:
            union |= bits
        return union


def drawn_objects(
    fit: Fit, items: pd.Index, labels: pd.Index, tau: float
) -> DrawnObjects:
    """Lay out the joint draws of some items."""
    joint = joint_draws(fit.data)
    place = items.get_indexer(pd.Index(joint.items))[joint.item]
    code = labels.get_indexer(pd.Index(joint.labels))[joint.label]
    key = place.astype(np.int64) * len(labels) + code
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.argsort(key[kept], kind="stable")]
    facts = joint.facts[:, :, kept]
    # A share is rounded down, and never exactly tau: the hundredth that it begins is.
    least = max(round(tau * _HUNDRED), 1)
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
