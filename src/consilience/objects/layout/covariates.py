"""Covariates of candidates, blocks, pairs and items of kind objects."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from consilience.objects.layout.contains_counts import (
    LEADING,
    OWN,
    SEVERAL,
    endorsed_share,
    exceeded,
)
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.pair_covariates import Pairs, places
from consilience.objects.layout.partitions import members, pairs_inside
from consilience.objects.layout.pooling import (
    SHRINK,
    Each,
    Pool,
    Tally,
    class_codes,
    each_item,
    pool,
    stakes,
    usual_votes,
)
from consilience.truth.maths import AnyArray
from consilience.truth.named import Named
from consilience.truth.pytree import pytree
from consilience.truth.space import Space


@pytree()
@dataclass(frozen=True, slots=True)
class ContainsCounts:
    """What was said when candidates were asked about.

    Attributes
    ----------
    said
        Whether each answer, and any, was given more often than j times, by answer and
        j; zeros where nobody was asked.
    own
        One for the data set's own label.
    """

    said: Float[AnyArray, "U n A"]
    own: Float[AnyArray, "U n"]


@pytree()
@dataclass(frozen=True, slots=True)
class BlockCovariates:
    """Covariates of the units that have n candidates; B = 2^n blocks.

    Attributes
    ----------
    label
        What makes imagined votes of a candidate; none is negative.
    slope
        What multiplies them, in logarithms.
    block
        What makes an object be seen often.
    pair
        What pairs of names have in common, summed over the pairs of a block.
    item
        What makes annotators pick one object, in log-odds.
    asked
        Answers of kind contains; None where there are none.
    pairs
        Which pair of labels with an affinity of its own each pair of candidates is, in
        the order of `numpy.triu_indices`; the number of such pairs for none. None where
        no pair has one.
    """

    label: Float[AnyArray, "U n P"]
    slope: Float[AnyArray, "U n X"]
    block: Float[AnyArray, "U B Q"]
    pair: Float[AnyArray, "U B R"]
    item: Float[AnyArray, "U Y"]
    asked: ContainsCounts | None = None
    pairs: Int[AnyArray, "U W"] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns:
    """Covariates of all units, by candidate and pair of candidates.

    Attributes
    ----------
    label, slope, item
        As in `BlockCovariates`.
    often
        What makes a label be named often beside others; a block has the most of it.
    pair
        Of each pair.
    asked, own
        As in `ContainsCounts`.
    names
        Of the columns.
    which
        Which of the pairs with an affinity of its own each pair is; None: there are
        none.
    """

    label: Float[np.ndarray, "U C P"]
    slope: Float[np.ndarray, "U C X"]
    often: Float[np.ndarray, "U C Q"]
    pair: Float[np.ndarray, "U C C R"]
    item: Float[np.ndarray, "U Y"]
    asked: Float[np.ndarray, "U C A"]
    own: Float[np.ndarray, "U C"]
    names: Names
    which: Int[np.ndarray, "U C C"] | None = None

    def named(self, names: Names) -> "Columns":
        """Return the columns of these names; those that are not there are zero."""
        found = {}
        for kind, mine, wanted in (
            ("label", self.names.label, names.label),
            ("slope", self.names.slope, names.slope),
            ("often", self.names.block[1:], names.block[1:]),
            ("pair", self.names.pair, names.pair),
            ("item", self.names.item, names.item),
        ):
            values = getattr(self, kind)
            place = {name: values[..., at] for at, name in enumerate(mine)}
            nothing = np.zeros(values.shape[:-1])
            columns = {name: place.get(name, nothing) for name in wanted}
            found[kind] = _stacked(columns, values.shape[:-1])
        asked = self.asked if names.asked else self.asked[..., :0]
        return Columns(
            **found, asked=asked, own=self.own, names=names, which=self.which
        )

    def of(self, units: Int[np.ndarray, " _"], num_labels: int) -> BlockCovariates:
        """Lay out those of some units, which have that many candidates."""
        n, inside = num_labels, members(num_labels)
        first, second = np.triu_indices(n, 1)
        often = self.often[units, None, :n]
        highest = np.where(inside[:, :, None] > 0, often, -np.inf).max(2)
        highest[:, 0] = 0.0
        ones = np.ones((*highest.shape[:2], 1))
        pair = self.pair[units][:, first, second]
        return BlockCovariates(
            label=self.label[units, :n],
            slope=self.slope[units, :n],
            block=np.concatenate([ones, highest], 2),
            pair=np.einsum("qb,uqr->ubr", pairs_inside(n), pair),
            item=self.item[units],
            asked=self._contains_counts(units, n),
            pairs=None if self.which is None else self.which[units][:, first, second],
        )

    def _contains_counts(
        self, units: Int[np.ndarray, " _"], num_labels: int
    ) -> ContainsCounts | None:
        if not self.asked.shape[-1]:
            return None
        said, own = (each[units, :num_labels] for each in (self.asked, self.own))
        return ContainsCounts(said, own)


def column_names(space: Space) -> Names:
    """Return what the covariates of a study are called."""
    return columns_of(space, pool(space), among=True).names


def _names(*tables: Iterable[str], asked: tuple[str, ...], pairs: Pairs) -> Names:
    label, slope, often, pair, item = map(tuple, tables)
    return Names(
        label=label,
        slope=slope,
        block=("any", *often),
        pair=pair,
        item=item,
        asked=asked,
        pairs=pairs,
    )


def columns_of(
    space: Space,
    said: Pool | None,
    *,
    among: bool,
    own: Each | None = None,
    pairs: Pairs = (),
) -> Columns:
    """Return the covariates of every candidate.

    Parameters
    ----------
    space
        Candidates and answers.
    said
        What a study says of classes, labels and pairs; None: nothing is known.
    among
        Whether the space is that of the pool: each item is then left out of what is
        said of it.
    own
        Instead of that: the part of the pool that comes from each item itself.
    pairs
        Those with an affinity of their own.
    """
    named = space.named
    assert named is not None  # noqa: S101 (asked by the caller)
    here = named.candidate >= 0
    mine = (named.candidate == named.dataset_label[:, None]) & here
    parent = np.where(here, named.parents[named.candidate], "")
    kin = (parent[:, :, None] == parent[:, None, :]) & (parent != "")[:, :, None]
    label = {"any": here.astype(float), "own": mine.astype(float)}
    slope = {
        name: named.covariates[:, :, column]
        for column, name in enumerate(named.covariate_names)
    }
    often = {"own": mine.astype(float)}
    pair = {"any": np.ones(kin.shape), "kin": kin.astype(float)}
    if named.similar is not None:
        one = named.candidate[:, :, None]
        both = np.broadcast_arrays(one, one.swapaxes(1, 2))
        pair["similar"] = named.similar.at(*both)
    item: dict[str, np.ndarray] = {}
    told = np.zeros((*here.shape, 0))
    asked: tuple[str, ...] = ()
    if named.contains_counts is not None:
        told, asked = exceeded(named.contains_counts), (LEADING, SEVERAL, OWN)
        label["granted"] = endorsed_share(named.contains_counts)
    if not (named.dataset_label >= 0).any():
        del label["own"], often["own"]
        asked = asked[:2]
    if not kin.any():
        del pair["kin"]
    if said is not None:
        if own is None:
            own = each_item(space).only(named.observed & among)
        _add_pooled(named, own, said, label, slope, often, item)
    shape = named.candidate.shape
    return Columns(
        label=_stacked(label, shape),
        slope=_stacked(slope, shape),
        often=_stacked(often, shape),
        pair=_stacked(pair, kin.shape),
        item=_stacked(item, shape[:1]),
        asked=told,
        own=mine.astype(float),
        names=_names(label, slope, often, pair, item, asked=asked, pairs=pairs),
        which=places(named, pairs) if pairs else None,
    )


def _add_pooled(
    named: Named,
    own: Each,
    pool: Pool,
    label: dict[str, np.ndarray],
    slope: dict[str, np.ndarray],
    often: dict[str, np.ndarray],
    item: dict[str, np.ndarray],
) -> None:
    """Add what other items say; what an item says itself is taken off."""
    here, code = named.candidate >= 0, class_codes(named)
    classed = (named.dataset_label >= 0)[:, None] & here
    of_class = np.maximum(named.dataset_label, 0)
    left = own.answered > 0  # an item is left out of its class where it is among them
    others = np.maximum(pool.items.at(of_class) - left, 0)
    if classed.any():
        share = np.maximum(pool.share.at(code) - own.share, 0)
        label["class"] = np.where(classed, share / (others + 1)[:, None], 0)
        back = named.candidate.astype(np.int64) * len(named.labels)
        back = np.where(classed, back + of_class[:, None], -1)
        mirrored = pool.share.at(back) / (pool.items.at(named.candidate) + 1)
        mine = named.candidate == named.dataset_label[:, None]
        label["mirrored class"] = np.where(classed & ~mine, mirrored, 0)
        alone = pool.alone.at(of_class) - own.alone
        answered = pool.answered.at(of_class) - own.answered
        usual = _usual(pool.alone, pool.answered)
        weight = SHRINK * 5
        item["class"] = np.where(
            named.dataset_label >= 0, _log_odds(alone, answered, usual, weight), 0
        )
    votes = usual_votes(named, own, pool.items, pool.share)
    stake = stakes(named, own, votes, pool.appeal)
    won = pool.won.at(named.candidate) - own.share * own.worth[:, None]
    expected = pool.stake.at(named.candidate) - stake
    ratio = (np.maximum(won, 0) + SHRINK) / (np.maximum(expected, 0) + SHRINK)
    slope["attraction"] = np.where(here, np.log(ratio), 0)
    extra = pool.label_extra.at(named.candidate) - own.extra
    asked = pool.label_asked.at(named.candidate) - own.asked
    usual = _usual(pool.label_extra, pool.label_asked)
    by_label = _rate(extra, asked, usual, SHRINK * 3)
    rate = by_label
    if classed.any():
        extra, asked = pool.extra.at(code) - own.extra, pool.asked.at(code) - own.asked
        rate = np.where(classed, _rate(extra, asked, by_label, SHRINK * 3), by_label)
    centre = np.log(usual) - np.log1p(-usual)
    often["beside"] = np.where(here, np.log(rate) - np.log1p(-rate) - centre, 0)


def _usual(part: Tally, whole: Tally) -> float:
    """Return the rate over all, away from the ends where few have been counted."""
    return float((part.total.sum() + 0.5) / (whole.total.sum() + 1))


def _rate(
    part: Float[np.ndarray, "*n"],
    whole: Float[np.ndarray, "*n"],
    usual: Float[np.ndarray, "*n"] | float,
    weight: float,
) -> Float[np.ndarray, "*n"]:
    found: Float[np.ndarray, "*n"] = (np.maximum(part, 0) + weight * usual) / (
        np.maximum(whole, 0) + weight
    )
    return found


def _log_odds(
    part: Float[np.ndarray, "*n"],
    whole: Float[np.ndarray, "*n"],
    usual: float,
    weight: float,
) -> Float[np.ndarray, "*n"]:
    """Return the log-odds of a rate against the usual one, zero where none is known."""
    rate = _rate(part, whole, usual, weight)
    found: Float[np.ndarray, "*n"] = np.log(rate / (1 - rate) * (1 - usual) / usual)
    return found


def _stacked(
    columns: dict[str, np.ndarray], shape: tuple[int, ...]
) -> Float[np.ndarray, "..."]:
    if not columns:
        return np.zeros((*shape, 0))
    return np.stack(list(columns.values()), axis=-1).astype(float)
