"""Evidence of other items: as which label a candidate is named, and beside which.

Items of one class (the data set's own label) are named alike, and some labels attract
votes wherever they are candidates. All of it is counted over the other items, never the
one it is about: so it is a prior covariate of an item, and no answer is used twice.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from consilience.truth.named import Named
from consilience.truth.space import ObjectsSpace

# Of the pull towards what is usual: images, effective votes, or exhaustive responses of
# its weight. With such small counts their exact value matters little; see
# docs/explanation.
SHRINK = 2.0
INDEPENDENT = 3.0  # votes about one item are worth at most about so many
ROUNDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums by code; those never seen are zero."""

    code: Int[np.ndarray, " K"]
    total: Float[np.ndarray, " K"]

    def at(self, code: Int[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Return the sums of some codes."""
        if not len(self.code):
            return np.zeros(code.shape)
        place = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        return np.where(self.code[place] == code, self.total[place], 0.0)


def tally(code: Int[np.ndarray, " N"], value: Float[np.ndarray, " N"]) -> Tally:
    """Sum values by their code."""
    codes, place = np.unique(code, return_inverse=True)
    return Tally(codes, np.bincount(place, value, len(codes)).astype(float))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ItemCounts:
    """Evidence of the answers to each item about each candidate."""

    share: Float[np.ndarray, "U C"]
    effective_votes: Float[np.ndarray, " U"]
    extra: Float[np.ndarray, "U C"]
    opportunities: Float[np.ndarray, "U C"]
    alone: Float[np.ndarray, " U"]
    answered: Float[np.ndarray, " U"]

    @property
    def won(self) -> Float[np.ndarray, "U C"]:
        """Effective votes of each candidate."""
        return self.share * self.effective_votes[:, None]

    def at(
        self, unit: Int[np.ndarray, " U"], slot: Int[np.ndarray, "U C"]
    ) -> "ItemCounts":
        """Return the counts at other units and places; at -1, zero."""
        counts = {}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            value = np.append(value, np.zeros((1, *value.shape[1:])), axis=0)
            if value.ndim == 1:
                counts[name] = value[unit]
            else:
                counts[name] = np.where(slot >= 0, value[unit[:, None], slot], 0.0)
        return ItemCounts(**counts)

    def only(self, units: Bool[np.ndarray, " U"]) -> "ItemCounts":
        """Return the same with zero for other units."""
        slot = np.broadcast_to(np.arange(self.share.shape[1]), self.share.shape)
        return self.at(np.where(units, np.arange(len(units)), -1), slot)


def count_items(space: ObjectsSpace) -> ItemCounts:
    """Count what the answers to each item say."""
    named = space.named
    units, places = named.candidate.shape
    slot = np.arange(places)
    named_label = ((named.mask[:, None] >> slot) & 1).astype(float)
    main = (named.main[:, None] == slot).astype(float)
    size = np.bitwise_count(named.mask)
    exhaustive = (size > 1).astype(float)
    at = (space.unit, np.arange(len(space.n)))
    sums = csr_array((space.n.astype(float), at), shape=(units, len(space.n)))
    votes = sums @ main
    number = votes.sum(1)
    one = exhaustive[:, None] * named_label
    return ItemCounts(
        share=votes / np.maximum(number, 1)[:, None],
        effective_votes=number * (1 + INDEPENDENT) / (number + INDEPENDENT),
        extra=sums @ (one * (1 - main)),
        opportunities=sums @ (exhaustive[:, None] * (1 - main)),
        alone=sums @ (size == 1).astype(float),
        answered=sums @ (size > 0).astype(float),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pool:
    """What all items of a study say together; codes are of class and label."""

    items: Tally
    share: Tally
    won: Tally
    exposure: Tally
    extra: Tally
    opportunities: Tally
    label_extra: Tally
    label_opportunities: Tally
    alone: Tally
    answered: Tally
    ability: Float[np.ndarray, " L"]


def pool(space: ObjectsSpace) -> Pool:
    """Count over all items of a study."""
    named = space.named
    item_counts = count_items(space).only(named.observed)
    unit, slot = np.nonzero(named.candidate >= 0)
    label, dataset_label = named.candidate[unit, slot], named.dataset_label
    of_class = class_codes(named)[unit, slot]
    classed = dataset_label[unit] >= 0
    usable = (dataset_label >= 0) & named.observed
    share = tally(of_class[classed], item_counts.share[unit, slot][classed])
    items = tally(dataset_label[usable], np.ones(usable.sum()))
    ability = _bradley_terry(named, item_counts, items, share)
    exposure = exposures(
        named, item_counts, usual_votes(named, item_counts, items, share), ability
    )

    def by_class(value: Float[np.ndarray, "U C"]) -> Tally:
        return tally(of_class[classed], value[unit, slot][classed])

    def by_label(value: Float[np.ndarray, "U C"]) -> Tally:
        return tally(label, value[unit, slot])

    return Pool(
        items=items,
        share=share,
        won=by_label(item_counts.won),
        exposure=by_label(exposure),
        extra=by_class(item_counts.extra),
        opportunities=by_class(item_counts.opportunities),
        label_extra=by_label(item_counts.extra),
        label_opportunities=by_label(item_counts.opportunities),
        alone=tally(dataset_label[usable], item_counts.alone[usable]),
        answered=tally(dataset_label[usable], item_counts.answered[usable]),
        ability=ability,
    )


def class_codes(named: Named) -> Int[np.ndarray, "U C"]:
    """Return a code of class and label for each candidate."""
    code: Int[np.ndarray, "U C"] = (
        named.dataset_label[:, None].astype(np.int64) * len(named.labels)
        + named.candidate
    )
    return np.where(named.candidate >= 0, code, -1)


def class_shares(
    named: Named, item_counts: ItemCounts, items: Tally, share: Tally
) -> Float[np.ndarray, "U C"]:
    """Return each candidate's share of the votes of other items of the class."""
    of_class = np.maximum(named.dataset_label, 0)
    # An item is left out of its class where it is among them.
    others = np.maximum(items.at(of_class) - (item_counts.answered > 0), 0)
    shares = np.maximum(share.at(class_codes(named)) - item_counts.share, 0)
    classed = (named.dataset_label >= 0)[:, None] & (named.candidate >= 0)
    return np.where(classed, shares / (others + 1)[:, None], 0)


def usual_votes(
    named: Named, item_counts: ItemCounts, items: Tally, share: Tally
) -> Float[np.ndarray, "U C"]:
    """Return imagined votes of each candidate, were all labels as attractive.

    The weights are those that the best of simple rules has on the multi-label study.
    """
    shares = class_shares(named, item_counts, items, share)
    votes = 0.7 + 1.2 * named.is_dataset_label + 4.0 * shares
    return np.where(named.candidate >= 0, votes, 0.0)


def exposures(
    named: Named,
    item_counts: ItemCounts,
    votes: Float[np.ndarray, "U C"],
    ability: Float[np.ndarray, " L"],
) -> Float[np.ndarray, "U C"]:
    """Return the votes expected of each candidate, for each unit of its ability."""
    total = (votes * ability[named.candidate]).sum(1, keepdims=True)
    return item_counts.effective_votes[:, None] * votes / (total + 1e-12)


def _bradley_terry(
    named: Named, item_counts: ItemCounts, items: Tally, share: Tally
) -> Float[np.ndarray, " L"]:
    """Fit Luce's choice rule by minorisation (Hunter 2004, section 2), held at one."""
    votes = usual_votes(named, item_counts, items, share)
    here = named.candidate >= 0
    label, number = named.candidate[here], len(named.labels)
    won = np.bincount(label, item_counts.won[here], number)
    ability = np.ones(number)
    for _ in range(ROUNDS):
        exposure = exposures(named, item_counts, votes, ability)[here]
        ability = (won + SHRINK) / (np.bincount(label, exposure, number) + SHRINK)
    return ability
