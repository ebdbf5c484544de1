r"""Covariates of candidates, blocks, pairs and items of kind objects.

What pairs of labels have in common says how readily the two are names of one thing; of
pairs that are candidates together on many items the answers say it, too: these have an
affinity of their own.

**Endorsement in a leading question, given the detection probability.** Asked *is there
a laptop?*, people endorse what they would not have named. Of a block :math:`B` with
detection probability :math:`r_t`, low or high, each of its names :math:`l` that is
asked about is endorsed with

.. math::

   \mathrm{logit}\, g_{lt} = \iota + e^{\beta}\, \mathrm{logit}\, r_t
   + \gamma_1 [\,|B| > 1\,] + \gamma_2 [\,l \text{ is the data set's own}\,]

and the answers no, maybe and yes have the shares

.. math::

   ((1 - g)(1 - \kappa g),\; 2 \kappa g (1 - g),\; g (1 - \kappa (1 - g)))

on average (as in `annotators.contains_counts`: who looks twice and is divided says
maybe). How readily a label is endorsed differs from item to item: its shares are drawn
anew, from the Dirichlet distribution with this mean and concentration :math:`k`, which
integrates out. So what is said of a label weighs, given its block and t, a product of
steps

.. math::

   \prod_w \prod_{j < n_w} (k \bar g_w + j) \Big/ \prod_{j < n} (k + j)

and is added to the log weight of the block. Of whole numbers, the steps are one product
with a table.

**The leading question** is the odds ratio of endorsement and detection,
:math:`g_t (1 - r_t) / (r_t (1 - g_t))`, of a thing with one name.

References
----------
Mosimann (1962), section 2, for the Dirichlet-multinomial.
"""

from dataclasses import dataclass, field, replace

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Float, Int

from consilience.model.contract import Parameters
from consilience.objects.block_counts import (
    LEADING,
    MULTIPLE,
    OF_DATASET,
    block_sizes,
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
from consilience.truth.arrays import AnyArray, maths, pytree
from consilience.truth.named import LabelPairs, Named
from consilience.truth.space import ObjectsSpace

# Pairs on fewer items say so little of themselves that they are left to their features.
ENOUGH = 5
type Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What each column is called; part of the program, so it has a hash.

    Those of `endorsement` are what makes annotators say yes when they are asked; none
    where nobody was asked. `pairs` are the codes of the labels of those pairs that have
    an affinity of their own; which they are is no part of the program.
    """

    label: tuple[str, ...]
    slope: tuple[str, ...]
    block: tuple[str, ...]
    pair: tuple[str, ...]
    item: tuple[str, ...]
    endorsement: tuple[str, ...] = ()
    pairs: Pairs = field(default=(), compare=False)


def frequent_pairs(named: Named, enough: int = ENOUGH) -> Pairs:
    """Return the pairs of labels that are candidates together of enough items."""
    low, high = np.sort(candidate_pairs(named), axis=0).astype(np.int64)
    code = np.where(low >= 0, low * len(named.labels) + high, -1)
    code, number = np.unique(_each(named, code), return_counts=True)
    first, second = np.divmod(code[number >= enough], len(named.labels))
    return tuple(zip(first.tolist(), second.tolist(), strict=True))


def places(named: Named, pairs: Pairs) -> Int[np.ndarray, "U C C"]:
    """Return which of some pairs each two candidates are; -1 for none."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    frequent = LabelPairs(first, second, np.zeros(len(pairs)))
    place = frequent.place(*candidate_pairs(named))
    return np.where(place < len(pairs), place, -1)


def items_with(named: Named, pairs: Pairs) -> Int[np.ndarray, " P"]:
    """Return on how many items whose answers count each pair is."""
    pair = _each(named, places(named, pairs))
    num_items: Int[np.ndarray, " P"] = np.bincount(pair + 1, minlength=len(pairs) + 1)
    return num_items[1:]


def candidate_pairs(
    named: Named,
) -> tuple[Int[np.ndarray, "U C C"], Int[np.ndarray, "U C C"]]:
    """Return the labels of each two candidates."""
    one = named.candidate[:, :, None]
    first, second = np.broadcast_arrays(one, one.swapaxes(1, 2))
    return first, second


def _each(named: Named, what: Int[np.ndarray, "U C C"]) -> Int[np.ndarray, " _"]:
    """Return what is said of each two candidates, once, of the items that count."""
    first, second = np.triu_indices(named.candidate.shape[1], 1)
    both = (named.candidate[:, second] >= 0) & named.observed[:, None]
    return what[:, first, second][both]


KINDS = ("label", "slope", "block", "pair", "item")
type Tables = dict[str, dict[str, np.ndarray]]  # columns of each kind, by name


@pytree()
@dataclass(frozen=True, slots=True)
class BlockCovariates:
    """Covariates of the units that have n candidates; B = 2^n blocks.

    Where candidates were asked about, `exceeds` says how often each answer was given,
    and `is_dataset_label` which of them is the data set's own.
    """

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
    mine = (named.candidate == named.dataset_label[:, None]) & real
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
        mine = named.candidate == named.dataset_label[:, None]
        label["mirrored class"] = np.where(classed & ~mine, mirrored, 0)
        alone = pool.alone.at(of_class) - item_counts.alone
        answered = pool.answered.at(of_class) - item_counts.answered
        usual = _usual(pool.alone, pool.answered)
        # Zero where nothing is known of a class.
        odds = _log_odds(_rate(alone, answered, usual, SHRINK * 5)) - _log_odds(usual)
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
    block["beside"] = np.where(real, _log_odds(rate) - _log_odds(usual), 0)


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


def _log_odds(rate: Float[AnyArray, "*n"] | float) -> Float[AnyArray, "*n"]:
    return np.log(rate) - np.log1p(-rate)


def _stacked(
    columns: dict[str, np.ndarray], shape: tuple[int, ...]
) -> Float[np.ndarray, "..."]:
    if not columns:
        return np.zeros((*shape, 0))
    return np.stack(list(columns.values()), axis=-1).astype(float)


# The prior; a judgement, and wide: an odds ratio of seven to one either
# way, a slope from a third to three, and labels that differ as a Beta of two answers.
EFFECTS = 1.0
SHAPE = ((0.0, 0.5), (np.log(2.0), 1.0), (0.0, 1.0))  # of slope, spread and maybe
MIN_SHARE = 1e-12  # of a share

ENDORSEMENT_DIMS = {
    "endorsement": ("endorsement_covariate",),
    "endorsement_shape": ("slope_and_spread",),
    "endorsement_probability": ("detection_level",),
    "leading_question": ("detection_level",),
}


def sample_endorsement(names: Names) -> Parameters:
    """Sample what answers of kind contains need; nothing where there are none."""
    if not names.endorsement:
        return {}
    effects = dist.Normal(jnp.zeros(len(names.endorsement)), EFFECTS)
    centre, scale = map(jnp.array, zip(*SHAPE, strict=True))
    return {
        "endorsement": numpyro.sample("endorsement", effects.to_event(1)),
        "endorsement_shape": numpyro.sample(
            "endorsement_shape", dist.Normal(centre, scale).to_event(1)
        ),
    }


def log_endorsed(
    covariates: BlockCovariates, rates: Float[AnyArray, " 2"], parameters: Parameters
) -> Float[AnyArray, "2 #U #B"]:
    """Return log p(contains answers about a block's names), at either detection level.

    Zero where nobody was asked.
    """
    exceeds, xp = covariates.exceeds, maths(parameters).xp
    if exceeds is None or covariates.is_dataset_label is None:
        return xp.zeros((2, 1, 1))
    units, labels, width = exceeds.shape
    table = _steps(rates, parameters, width // 4)
    by_label = (exceeds @ table.reshape(width, -1)).reshape(units, labels, 2, 2, 2)
    is_own = covariates.is_dataset_label[:, :, None, None] > 0
    by_label = xp.where(is_own, by_label[..., 1], by_label[..., 0])
    inside, size = members(labels), block_sizes(labels)[:, None]
    by_size = np.stack([inside * (size == 1), inside * (size > 1)])
    return xp.einsum("unks,sbn->kub", by_label, by_size)


def endorsement_log_odds(
    rates: Float[AnyArray, " 2"], parameters: Parameters
) -> Float[AnyArray, "2 2 2"]:
    """Return log-odds of endorsement, by level, several names, and data-set label."""
    leading, multiple, *own_label = parameters["endorsement"]
    flag = np.arange(2)
    xp = maths(parameters).xp
    odds = leading + xp.exp(parameters["endorsement_shape"][0]) * rates
    odds = odds[:, None, None] + multiple * flag[:, None]
    return odds + (own_label[0] * flag if own_label else np.zeros(2))


def mean_shares(
    odds: Float[AnyArray, "*any"], parameters: Parameters
) -> Float[AnyArray, "3 *any"]:
    """Return the mean shares of no, maybe and yes."""
    library = maths(odds, parameters)
    endorsement, refused = library.sigmoid(odds), library.sigmoid(-odds)
    maybe = library.sigmoid(parameters["endorsement_shape"][2])
    shares = library.xp.stack(
        [
            refused * (1 - maybe * endorsement),
            2 * maybe * endorsement * refused,
            endorsement * (1 - maybe * refused),
        ]
    )
    return library.xp.maximum(shares, MIN_SHARE)


def endorsement(rates: Float[AnyArray, " 2"], parameters: Parameters) -> Parameters:
    """Return endorsement probabilities, and their log odds ratio against detection."""
    if "endorsement" not in parameters:
        return {}
    odds = endorsement_log_odds(rates, parameters)[:, 0, 0]
    return {
        "endorsement_probability": maths(odds).sigmoid(odds),
        "leading_question": odds - rates,
    }


def _steps(
    rates: Float[AnyArray, " 2"], parameters: Parameters, most: int
) -> Float[AnyArray, "A 2 2 2"]:
    """Return what each answer adds, by answer and how many came before it."""
    xp = maths(parameters).xp
    weight = xp.exp(parameters["endorsement_shape"][1])
    shares = mean_shares(endorsement_log_odds(rates, parameters), parameters)
    before = np.arange(most).reshape(1, -1, 1, 1, 1)
    steps = xp.log(weight * shares[:, None] + before)
    whole = xp.broadcast_to(-xp.log(weight + before), (1, *steps.shape[1:]))
    table = xp.concatenate([steps, whole])
    return table.reshape(-1, *table.shape[2:])
