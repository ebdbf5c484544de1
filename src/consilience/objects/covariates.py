"""Covariates of candidates, blocks, pairs and items of kind objects."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logit

from consilience.objects.contains_counts import (
    LEADING,
    MULTIPLE,
    OF_DATASET,
    endorsed_share,
    exceedances,
)
from consilience.objects.partitions import members, pairs_inside
from consilience.objects.pooling import (
    SHRINK,
    ItemCounts,
    Pool,
    Tally,
    class_codes,
    class_shares,
    count_items,
    exposures,
    pool,
    usual_votes,
)
from consilience.objects.space import Names, Pairs, candidate_pairs, places
from consilience.truth.arrays import AnyArray, pytree
from consilience.truth.named import Named
from consilience.truth.space import ObjectsSpace

KINDS = ("label", "slope", "block", "pair", "item")
type Tables = dict[str, dict[str, np.ndarray]]  # columns of each kind, by name


@pytree()
@dataclass(frozen=True, slots=True)
class BlockCovariates:
    """Covariates of the units that have n candidates; B = 2^n blocks."""

    label: Float[AnyArray, "U n P"]
    slope: Float[AnyArray, "U n X"]
    block: Float[AnyArray, "U B Q"]
    pair: Float[AnyArray, "U B R"]
    item: Float[AnyArray, "U Y"]
    exceeds: Float[AnyArray, "U n A"] | None = None
    is_dataset_label: Float[AnyArray, "U n"] | None = None
    pairs: Int[AnyArray, "U W"] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns:
    """Covariates of all units, by candidate and pair of candidates."""

    label: Float[np.ndarray, "U C P"]
    slope: Float[np.ndarray, "U C X"]
    block: Float[np.ndarray, "U C Q"]
    pair: Float[np.ndarray, "U C C R"]
    item: Float[np.ndarray, "U Y"]
    exceeds: Float[np.ndarray, "U C A"]
    is_dataset_label: Float[np.ndarray, "U C"]
    names: Names
    which: Int[np.ndarray, "U C C"] | None = None

    def named(self, names: Names) -> "Columns":
        """Return the columns of these names; those that are not there are zero."""
        tables = {}
        for kind in KINDS:
            values, mine = getattr(self, kind), getattr(self.names, kind)
            place = {name: values[..., at] for at, name in enumerate(mine)}
            nothing = np.zeros(values.shape[:-1])
            columns = {name: place.get(name, nothing) for name in getattr(names, kind)}
            tables[kind] = _stacked(columns, values.shape[:-1])
        exceeds = self.exceeds if names.endorsement else self.exceeds[..., :0]
        return replace(self, **tables, exceeds=exceeds, names=names)

    def of(self, units: Int[np.ndarray, " _"], num_labels: int) -> BlockCovariates:
        """Lay out those of some units, which have that many candidates."""
        n, asked = num_labels, self.exceeds.shape[-1] > 0
        first, second = np.triu_indices(n, 1)
        block = self.block[units, None, :n]
        highest = np.where(members(n)[:, :, None] > 0, block, -np.inf).max(2)
        highest[:, 0] = 0.0
        pair = self.pair[units][:, first, second]
        return BlockCovariates(
            label=self.label[units, :n],
            slope=self.slope[units, :n],
            block=highest,
            pair=np.einsum("qb,uqr->ubr", pairs_inside(n), pair),
            item=self.item[units],
            exceeds=self.exceeds[units, :n] if asked else None,
            is_dataset_label=self.is_dataset_label[units, :n] if asked else None,
            pairs=None if self.which is None else self.which[units][:, first, second],
        )


def column_names(space: ObjectsSpace) -> Names:
    """Return what the covariates of a study are called."""
    return candidate_covariates(space, pool(space), among=True).names


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
    mine = named.is_dataset_label
    parent = np.where(real, named.parents[named.candidate], "")
    kin = (parent[:, :, None] == parent[:, None, :]) & (parent != "")[:, :, None]
    tables: Tables = {
        "label": {"any": real},
        "slope": {
            name: named.covariates[:, :, column]
            for column, name in enumerate(named.covariate_names)
        },
        "block": {"any": real},
        "pair": {"any": np.ones(kin.shape)},
        "item": {},
    }
    has_dataset_label = (named.dataset_label >= 0).any()
    if has_dataset_label:
        tables["label"]["own"] = tables["block"]["own"] = mine
    if kin.any():
        tables["pair"]["kin"] = kin
    if len(named.similar.first):
        tables["pair"]["similar"] = named.similar.at(*candidate_pairs(named))
    exceeds, endorsement = np.zeros((*real.shape, 0)), tuple[str, ...]()
    if named.contains_counts is not None:
        exceeds = exceedances(named.contains_counts)
        endorsement = (LEADING, MULTIPLE, OF_DATASET)[: 3 if has_dataset_label else 2]
        tables["label"]["endorsed"] = endorsed_share(named.contains_counts)
    if reference is not None:
        if item_counts is None:
            item_counts = count_items(space).only(named.observed & among)
        _add_pooled(named, item_counts, reference, tables)
    shapes = {"pair": kin.shape, "item": real.shape[:1]}
    return Columns(
        **{
            kind: _stacked(tables[kind], shapes.get(kind, real.shape)) for kind in KINDS
        },
        exceeds=exceeds,
        is_dataset_label=mine.astype(float),
        names=Names(
            **{kind: tuple(tables[kind]) for kind in KINDS},
            endorsement=endorsement,
            pairs=pairs,
        ),
        which=places(named, pairs) if pairs else None,
    )


def _add_pooled(
    named: Named, item_counts: ItemCounts, pool: Pool, tables: Tables
) -> None:
    """Add what other items say; what an item says itself is taken off."""
    label, slope, block, item = (tables[k] for k in ("label", "slope", "block", "item"))
    real, code = named.candidate >= 0, class_codes(named)
    classed = (named.dataset_label >= 0)[:, None] & real
    of_class = np.maximum(named.dataset_label, 0)
    if classed.any():
        label["class"] = class_shares(named, item_counts, pool.items, pool.share)
        back = named.candidate.astype(np.int64) * len(named.labels)
        back = np.where(classed, back + of_class[:, None], -1)
        mirrored = pool.share.at(back) / (pool.items.at(named.candidate) + 1)
        others = classed & ~named.is_dataset_label
        label["mirrored class"] = np.where(others, mirrored, 0)
        alone = pool.alone.at(of_class) - item_counts.alone
        answered = pool.answered.at(of_class) - item_counts.answered
        usual = _usual(pool.alone, pool.answered)
        # Zero where nothing is known of a class.
        odds = logit(_rate(alone, answered, usual, SHRINK * 5)) - logit(usual)
        item["class"] = np.where(named.dataset_label >= 0, odds, 0)
    votes = usual_votes(named, item_counts, pool.items, pool.share)
    won = pool.won.at(named.candidate) - item_counts.won
    expected = pool.exposure.at(named.candidate)
    expected -= exposures(named, item_counts, votes, pool.ability)
    ratio = (np.maximum(won, 0) + SHRINK) / (np.maximum(expected, 0) + SHRINK)
    slope["attraction"] = np.where(real, np.log(ratio), 0)
    usual = _usual(pool.label_extra, pool.label_opportunities)
    rate = _rate(
        pool.label_extra.at(named.candidate) - item_counts.extra,
        pool.label_opportunities.at(named.candidate) - item_counts.opportunities,
        usual,
        SHRINK * 3,
    )
    if classed.any():
        extra = pool.extra.at(code) - item_counts.extra
        opportunities = pool.opportunities.at(code) - item_counts.opportunities
        of_label = _rate(extra, opportunities, rate, SHRINK * 3)
        rate = np.where(classed, of_label, rate)
    block["beside"] = np.where(real, logit(rate) - logit(usual), 0)


def _usual(part: Tally, whole: Tally) -> float:
    """Return the rate over all, away from the ends where few have been counted."""
    return float((part.total.sum() + 0.5) / (whole.total.sum() + 1))


def _rate(
    part: Float[np.ndarray, "*n"],
    whole: Float[np.ndarray, "*n"],
    usual: Float[np.ndarray, "*n"] | float,
    weight: float,
) -> Float[np.ndarray, "*n"]:
    """Return a rate, drawn towards what is usual."""
    return (np.maximum(part, 0) + weight * usual) / (np.maximum(whole, 0) + weight)


def _stacked(
    columns: dict[str, np.ndarray], shape: tuple[int, ...]
) -> Float[np.ndarray, "..."]:
    if not columns:
        return np.zeros((*shape, 0))
    return np.stack(list(columns.values()), axis=-1).astype(float)
