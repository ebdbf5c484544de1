"""Covariates of candidates, blocks, pairs and items of kind objects."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from consilience.objects.layout.contains_counts import (
    LEADING,
    MULTIPLE,
    OF_DATASET,
    endorsed_share,
    exceedances,
)
from consilience.objects.layout.covariate_names import Names, Pairs, places
from consilience.objects.layout.partitions import members, pairs_inside
from consilience.objects.layout.pooling import (
    SHRINK,
    ItemCounts,
    Pool,
    Tally,
    class_codes,
    count_items,
    exposures,
    pool,
    usual_votes,
)
from consilience.truth.arrays import AnyArray, pytree
from consilience.truth.named import Named
from consilience.truth.space import ObjectsSpace


@pytree()
@dataclass(frozen=True, slots=True)
class ContainsCounts:
    """What was said when candidates were asked about."""

    exceeds: Float[AnyArray, "U n A"]
    is_dataset_label: Float[AnyArray, "U n"]


@pytree()
@dataclass(frozen=True, slots=True)
class BlockCovariates:
    """Covariates of the units that have n candidates; B = 2^n blocks."""

    label: Float[AnyArray, "U n P"]
    slope: Float[AnyArray, "U n X"]
    block: Float[AnyArray, "U B Q"]
    pair: Float[AnyArray, "U B R"]
    item: Float[AnyArray, "U Y"]
    contains_counts: ContainsCounts | None = None
    pairs: Int[AnyArray, "U W"] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns:
    """Covariates of all units, by candidate and pair of candidates."""

    label: Float[np.ndarray, "U C P"]
    slope: Float[np.ndarray, "U C X"]
    block: Float[np.ndarray, "U C Q"]
    pair: Float[np.ndarray, "U C C R"]
    item: Float[np.ndarray, "U Y"]
    contains_counts: Float[np.ndarray, "U C A"]
    is_dataset_label: Float[np.ndarray, "U C"]
    names: Names
    which: Int[np.ndarray, "U C C"] | None = None

    def named(self, names: Names) -> "Columns":
        """Return the columns of these names; those that are not there are zero."""
        tables = {}
        for kind, mine, wanted in (
            ("label", self.names.label, names.label),
            ("slope", self.names.slope, names.slope),
            ("block", self.names.block[1:], names.block[1:]),
            ("pair", self.names.pair, names.pair),
            ("item", self.names.item, names.item),
        ):
            values = getattr(self, kind)
            place = {name: values[..., at] for at, name in enumerate(mine)}
            nothing = np.zeros(values.shape[:-1])
            columns = {name: place.get(name, nothing) for name in wanted}
            tables[kind] = _stacked(columns, values.shape[:-1])
        counts = self.contains_counts
        return Columns(
            **tables,
            contains_counts=counts if names.endorsement else counts[..., :0],
            is_dataset_label=self.is_dataset_label,
            names=names,
            which=self.which,
        )

    def of(self, units: Int[np.ndarray, " _"], num_labels: int) -> BlockCovariates:
        """Lay out those of some units, which have that many candidates."""
        n, inside = num_labels, members(num_labels)
        first, second = np.triu_indices(n, 1)
        block = self.block[units, None, :n]
        highest = np.where(inside[:, :, None] > 0, block, -np.inf).max(2)
        highest[:, 0] = 0.0
        ones = np.ones((*highest.shape[:2], 1))
        pair = self.pair[units][:, first, second]
        return BlockCovariates(
            label=self.label[units, :n],
            slope=self.slope[units, :n],
            block=np.concatenate([ones, highest], 2),
            pair=np.einsum("qb,uqr->ubr", pairs_inside(n), pair),
            item=self.item[units],
            contains_counts=self._contains_counts(units, n),
            pairs=None if self.which is None else self.which[units][:, first, second],
        )

    def _contains_counts(
        self, units: Int[np.ndarray, " _"], num_labels: int
    ) -> ContainsCounts | None:
        if not self.contains_counts.shape[-1]:
            return None
        exceeds, dataset_label = (
            table[units, :num_labels]
            for table in (self.contains_counts, self.is_dataset_label)
        )
        return ContainsCounts(exceeds, dataset_label)


def column_names(space: ObjectsSpace) -> Names:
    """Return what the covariates of a study are called."""
    return candidate_covariates(space, pool(space), among=True).names


def _names(*tables: Iterable[str], endorsement: tuple[str, ...], pairs: Pairs) -> Names:
    label, slope, block, pair, item = map(tuple, tables)
    return Names(
        label=label,
        slope=slope,
        block=("any", *block),
        pair=pair,
        item=item,
        endorsement=endorsement,
        pairs=pairs,
    )


def candidate_covariates(
    space: ObjectsSpace,
    reference: Pool | None,
    *,
    among: bool,
    item_counts: ItemCounts | None = None,
    pairs: Pairs = (),
) -> Columns:
    """Return the covariates of every candidate."""
    named = space.named
    real = named.candidate >= 0
    mine = (named.candidate == named.dataset_label[:, None]) & real
    parent = np.where(real, named.parents[named.candidate], "")
    kin = (parent[:, :, None] == parent[:, None, :]) & (parent != "")[:, :, None]
    label = {"any": real.astype(float), "own": mine.astype(float)}
    slope = {
        name: named.covariates[:, :, column]
        for column, name in enumerate(named.covariate_names)
    }
    block = {"own": mine.astype(float)}
    pair = {"any": np.ones(kin.shape), "kin": kin.astype(float)}
    if len(named.similar.first):
        one = named.candidate[:, :, None]
        both = np.broadcast_arrays(one, one.swapaxes(1, 2))
        pair["similar"] = named.similar.at(*both)
    item: dict[str, np.ndarray] = {}
    contains_counts = np.zeros((*real.shape, 0))
    contains_names: tuple[str, ...] = ()
    if named.contains_counts is not None:
        contains_counts, contains_names = (
            exceedances(named.contains_counts),
            (LEADING, MULTIPLE, OF_DATASET),
        )
        label["endorsed"] = endorsed_share(named.contains_counts)
    if not (named.dataset_label >= 0).any():
        del label["own"], block["own"]
        contains_names = contains_names[:2]
    if not kin.any():
        del pair["kin"]
    if reference is not None:
        if item_counts is None:
            item_counts = count_items(space).only(named.observed & among)
        _add_pooled(named, item_counts, reference, label, slope, block, item)
    shape = named.candidate.shape
    return Columns(
        label=_stacked(label, shape),
        slope=_stacked(slope, shape),
        block=_stacked(block, shape),
        pair=_stacked(pair, kin.shape),
        item=_stacked(item, shape[:1]),
        contains_counts=contains_counts,
        is_dataset_label=mine.astype(float),
        names=_names(
            label, slope, block, pair, item, endorsement=contains_names, pairs=pairs
        ),
        which=places(named, pairs) if pairs else None,
    )


def _add_pooled(
    named: Named,
    item_counts: ItemCounts,
    pool: Pool,
    label: dict[str, np.ndarray],
    slope: dict[str, np.ndarray],
    block: dict[str, np.ndarray],
    item: dict[str, np.ndarray],
) -> None:
    """Add what other items say; what an item says itself is taken off."""
    real, code = named.candidate >= 0, class_codes(named)
    classed = (named.dataset_label >= 0)[:, None] & real
    of_class = np.maximum(named.dataset_label, 0)
    left = (
        item_counts.answered > 0
    )  # an item is left out of its class where it is among them
    others = np.maximum(pool.items.at(of_class) - left, 0)
    if classed.any():
        share = np.maximum(pool.share.at(code) - item_counts.share, 0)
        label["class"] = np.where(classed, share / (others + 1)[:, None], 0)
        back = named.candidate.astype(np.int64) * len(named.labels)
        back = np.where(classed, back + of_class[:, None], -1)
        mirrored = pool.share.at(back) / (pool.items.at(named.candidate) + 1)
        mine = named.candidate == named.dataset_label[:, None]
        label["mirrored class"] = np.where(classed & ~mine, mirrored, 0)
        alone = pool.alone.at(of_class) - item_counts.alone
        answered = pool.answered.at(of_class) - item_counts.answered
        usual = _usual(pool.alone, pool.answered)
        weight = SHRINK * 5
        item["class"] = np.where(
            named.dataset_label >= 0, _log_odds(alone, answered, usual, weight), 0
        )
    votes = usual_votes(named, item_counts, pool.items, pool.share)
    exposure = exposures(named, item_counts, votes, pool.ability)
    won = (
        pool.won.at(named.candidate)
        - item_counts.share * item_counts.effective_votes[:, None]
    )
    expected = pool.exposure.at(named.candidate) - exposure
    ratio = (np.maximum(won, 0) + SHRINK) / (np.maximum(expected, 0) + SHRINK)
    slope["attraction"] = np.where(real, np.log(ratio), 0)
    extra = pool.label_extra.at(named.candidate) - item_counts.extra
    opportunities = (
        pool.label_opportunities.at(named.candidate) - item_counts.opportunities
    )
    usual = _usual(pool.label_extra, pool.label_opportunities)
    by_label = _rate(extra, opportunities, usual, SHRINK * 3)
    rate = by_label
    if classed.any():
        extra, opportunities = (
            pool.extra.at(code) - item_counts.extra,
            pool.opportunities.at(code) - item_counts.opportunities,
        )
        rate = np.where(
            classed, _rate(extra, opportunities, by_label, SHRINK * 3), by_label
        )
    centre = np.log(usual) - np.log1p(-usual)
    block["beside"] = np.where(real, np.log(rate) - np.log1p(-rate) - centre, 0)


def _usual(part: Tally, whole: Tally) -> float:
    """Return the rate over all, away from the ends where few have been counted."""
    return float((part.total.sum() + 0.5) / (whole.total.sum() + 1))


def _rate(
    part: Float[np.ndarray, "*n"],
    whole: Float[np.ndarray, "*n"],
    usual: Float[np.ndarray, "*n"] | float,
    weight: float,
) -> Float[np.ndarray, "*n"]:
    return (np.maximum(part, 0) + weight * usual) / (np.maximum(whole, 0) + weight)


def _log_odds(
    part: Float[np.ndarray, "*n"],
    whole: Float[np.ndarray, "*n"],
    usual: float,
    weight: float,
) -> Float[np.ndarray, "*n"]:
    """Return the log-odds of a rate against the usual one, zero where none is known."""
    rate = _rate(part, whole, usual, weight)
    return np.log(rate / (1 - rate) * (1 - usual) / usual)


def _stacked(
    columns: dict[str, np.ndarray], shape: tuple[int, ...]
) -> Float[np.ndarray, "..."]:
    if not columns:
        return np.zeros((*shape, 0))
    return np.stack(list(columns.values()), axis=-1).astype(float)
