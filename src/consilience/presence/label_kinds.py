r"""What a label of an item may be like, and what each kind makes appearances.

A label is *absent*; or absent in the *context* of a similar label that is present,
which was shown with it or not; or *present*. Each kind has its component of the latent
trait, shifted by the effect of the item, which is on nodes. What a similar label adds,
and what the item adds to labels that are there and to those that are not alike, does
not make a label present.

**Pairs of one item modelled together: exact sums over what they share.** An item makes
all its labels look more, or less, to be there: an effect :math:`v_i`, on nodes. Given
it, labels that are not similar are independent. Of similar labels, an absent one looks
more to be there where another is there (its *context*), and more still where none that
is there was shown with it. With :math:`A_u`, :math:`A'_u`, :math:`A''_u` the
likelihoods of an absent label without context, with it, and with one not shown, and
:math:`B_u` that of a label that is there, each times its prior probability, the sum
over all labels of a set that may be there is, with a part for those shown together,

.. math::

   \prod_{u} A_u
   + \prod_{\text{parts}} \Bigl[\prod_u A''_u + S\Bigr]
   - \prod_{u} A''_u, \qquad
   S = \prod_u (A'_u + B_u) - \prod_u A'_u

with :math:`S` the part in which some label is there. So it costs as much as independent
labels do. Each likelihood enters each term once at most, so the posterior of a label's
kind is the slope of the log of the sum in the log of its likelihood.

**Pairs laid out.** Pairs of one group of labels lie together, in blocks that are filled
up, so that what differs between groups is multiplied block by block.

The information of an annotator's answers need be known only roughly: it sets the
coordinates that engines move in, and by these how far annotators are found to differ
(`varying`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_sigmoid, logsumexp, softplus
from jaxtyping import Array, Float, Int

from consilience.model.contract import Parameters
from consilience.model.rows import normal_nodes
from consilience.presence.latent_trait import mixture, presence
from consilience.ragged import places_within
from consilience.truth import ContainsSpace, next_size, tally
from consilience.truth.arrays import Incidence, incidence, pytree

# What an answer tells of a threshold, of what it would if the appearance were known
# and the votes said it: .17, .24 and .31 in studies of 2, 5 and 15 answers a label,
# drawn from the prior. What it tells of a discrimination, of how divided the votes are,
# and a *maybe* of a width, all else unknown: .1 to 1 and .4 to .95 in eighteen studies
# of 2, 5 and 9 answers a label, drawn from the prior; their geometric means.
INFORMATION, INFORMATION_ON_DISCRIMINATION, INFORMATION_ON_WIDTH = 0.25, 0.3, 0.65
WIDEST = 128  # places of a block: enough for a product of matrices to be fast


class Information(NamedTuple):
    """Approximate information of each annotator's answers, inverse variances.

    Of the logarithm of a discrimination, and of the place of a threshold: an answer
    tells a part of how far the votes are divided. Of the logarithm of a width: a part
    of how many are *maybe*.
    """

    discrimination: Float[Array, " J"]
    width: Float[Array, " J"]
    place: Float[Array, "J G"]


@pytree()
@dataclass(frozen=True, slots=True)
class Together:
    """Which pairs are of one item, are of similar labels, and were shown together."""

    parts: Incidence
    sets: Incidence
    items: Incidence
    share: Incidence
    item: Int[Array, " U"]
    of_set: Int[Array, " U"]
    shown: Int[Array, " U"]


@pytree("num_groups", "grouped", "several", "similar", "not_shown")
@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of item and label, laid out."""

    by_table: Incidence
    by_place: Incidence
    together: Together
    groups: Incidence
    covariates: Float[Array, "B width P"]
    information: Information
    unit_group: Int[Array, " U"]
    num_groups: int
    grouped: bool
    several: bool
    similar: bool
    not_shown: bool


def _information(space: ContainsSpace, number: int) -> Information:
    """Return the approximate information of answers about so many groups of labels."""
    annotators, answers = space.num_annotators, len(space.answers)
    votes = tally(space) + 1 / answers
    divided = votes.prod(1) / votes.sum(1) ** 2
    cell = space.annotator * number + space.groups.code[space.unit]
    weight = space.n * divided[space.unit]
    doubt = np.bincount(cell, weight, annotators * number).reshape(annotators, number)
    maybe = space.n * (space.answer == 1)
    return Information(
        discrimination=jnp.asarray(INFORMATION_ON_DISCRIMINATION * doubt.sum(1)),
        width=jnp.asarray(
            INFORMATION_ON_WIDTH * np.bincount(space.annotator, maybe, annotators)
        ),
        place=jnp.asarray(INFORMATION * doubt),
    )


def laid_out(space: ContainsSpace) -> Pairs:
    """Lay the answers out by annotator and group of labels."""
    answers, units = len(space.answers), space.num_units
    group, number = space.groups.code, max(len(space.groups.names), 1)
    place, of_block, width = _block_layout(group, number)
    places = len(of_block) * width
    cell = space.annotator * number + group[space.unit]
    weight = None if (space.n == 1).all() else space.n.astype(float)
    shape = (places, space.num_annotators * number * answers)
    every = np.arange(units, dtype=np.int32)
    columns = np.zeros((places, len(space.covariates.names)))
    columns[place] = space.covariates.value
    together, facts = _together(space, place, places)
    return Pairs(
        by_table=incidence(
            place[space.unit], cell * answers + space.answer, weight, shape
        ),
        by_place=incidence(every, place, None, (units, places)),
        together=together,
        groups=incidence(
            np.arange(len(of_block)), of_block, None, (len(of_block), number)
        ),
        covariates=jnp.asarray(columns.reshape(len(of_block), width, -1)),
        information=_information(space, number),
        unit_group=jnp.asarray(group),
        num_groups=number,
        grouped=len(space.groups.names) > 0,
        **facts,
    )


def _block_layout(
    group: Int[np.ndarray, " U"], number: int
) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, " B"], int]:
    """Return the place of each unit, the group of each block, and the blocks' width."""
    count = np.bincount(group, minlength=number)
    width = WIDEST
    while width > 1 and width * number > len(group):
        width //= 2
    if number == 1:
        width = len(group)
    blocks = -(-count // width)
    start = (np.cumsum(blocks) - blocks) * width
    order = np.argsort(group, kind="stable")
    place = np.empty(len(group), np.int32)
    within = places_within(count)
    place[order] = start[group[order]] + within
    of_block = np.repeat(np.arange(number, dtype=np.int32), blocks)
    unused = next_size(len(of_block)) - len(of_block)
    return place, np.append(of_block, np.zeros(unused, np.int32)), width


def _together(
    space: ContainsSpace, place: Int[np.ndarray, " U"], places: int
) -> tuple[Together, dict[str, bool]]:
    units = space.num_units
    item = np.unique(space.unit_item, return_inverse=True)[1].astype(np.int32)
    similar = space.similar_sets
    of_set = np.unique(similar.of_unit, return_inverse=True)[1].astype(np.int32)
    shown = np.unique(similar.shown, return_inverse=True)[1].astype(np.int32)
    pairs, parts, sets = (
        int(each.max(initial=-1)) + 1 for each in (item, shown, of_set)
    )
    _, one = np.unique(shown, return_index=True)
    _, first = np.unique(of_set, return_index=True)
    size = np.bincount(item)
    # Rows behind the last are of nothing; of similar studies they are as many.
    items_, sets_, parts_ = map(next_size, (pairs, sets, parts))
    made = Together(
        parts=incidence(shown, place, None, (parts_, places)),
        sets=incidence(of_set[one], np.arange(parts), None, (sets_, parts_)),
        items=incidence(item[first], np.arange(sets), None, (items_, sets_)),
        share=incidence(np.arange(units), item, 1 / size[item], (units, items_)),
        item=jnp.asarray(item),
        of_set=jnp.asarray(of_set),
        shown=jnp.asarray(shown),
    )
    facts = {
        "several": pairs < units,
        "similar": sets < units,
        "not_shown": sets < parts,
    }
    return made, facts


# Of the effect of an item, in standard deviations. In three studies of 225 items drawn
# from the prior, 41 nodes moved the log-likelihood by .02 to .06 of some 2,000 nats,
# and no probability of presence by more than .011.
ITEM_NODES, ITEM_REACH = 9, 3.0
# Parameters: the effect of a similar label that is present, and its addition if that
# label was not shown.
SHOWN, NOT_SHOWN = "context_effect", "context_effect_not_shown"
MIN_PROBABILITY = 1e-300  # a chance that is taken for none
WHOLE = 30.0  # log odds beyond which exp(x) - 1 is exp(x)


class Kind(IntEnum):
    """What a label may be like."""

    ABSENT = 0
    IN_CONTEXT = 1
    CONTEXT_NOT_SHOWN = 2
    PRESENT = 3


def kinds(pairs: Pairs) -> tuple[Kind, ...]:
    """Return the kinds that a study distinguishes, *present* last."""
    shown = (Kind.IN_CONTEXT,) if pairs.similar else ()
    not_shown = (Kind.CONTEXT_NOT_SHOWN,) if pairs.not_shown else ()
    return (Kind.ABSENT, *shown, *not_shown, Kind.PRESENT)


def item_nodes(pairs: Pairs) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return nodes of the standardised effect of an item, and their log weights."""
    return normal_nodes(ITEM_NODES if pairs.several else 1, ITEM_REACH)


def shifts(parameters: Parameters) -> tuple[Float[Array, " 4"], Float[Array, " 4"]]:
    """Return the context effect of each kind, and the weight of an item's effect."""
    nothing, shown, more = jnp.zeros(()), parameters[SHOWN], parameters[NOT_SHOWN]
    low, high = parameters["item"]
    context = jnp.stack([nothing, shown, shown + more, nothing])
    return context, jnp.stack([low, low, low, high])


class Appearances(NamedTuple):
    """Appearances of each kind of label, and which of them are present."""

    component: Float[Array, "G K M T"]
    presence: Float[Array, "G K M 2 T"]

    def averaged(
        self,
        pairs: Pairs,
        likelihood: Float[Array, "P T"],
        gold: Float[Array, "P 2"] | None,
    ) -> Float[Array, "K P M"]:
        """Return the likelihood of each kind and effect, appearances summed out."""
        table = self.component[:, :, :, None]
        if gold is not None:
            table = self._joint()
        groups, number, nodes, states, _ = table.shape
        columns = jnp.moveaxis(table, 4, 1).reshape(groups, -1)
        mixed = _by_block(pairs, likelihood, columns)
        by_node = mixed.reshape(len(likelihood), number, nodes, states)
        if gold is not None:
            by_node *= gold[:, None, None]
        return jnp.moveaxis(by_node.sum(3), 0, 1)

    def spread(
        self, pairs: Pairs, kind: Float[Array, "K P M"]
    ) -> Float[Array, "P 2 T"]:
        """Return p(state, appearance) of each place, given p(kind, effect)."""
        joint = self._joint()
        flat = jnp.moveaxis(kind, 0, 1).reshape(kind.shape[1], -1)
        return _by_block(pairs, flat, joint.reshape(len(joint), -1)).reshape(
            len(flat), 2, -1
        )

    def _joint(self) -> Float[Array, "G K M 2 T"]:
        return self.component[:, :, :, None] * self.presence


def appearances(
    pairs: Pairs, tables: Float[Array, "J G L T"], parameters: Parameters
) -> Appearances:
    """Return the latent traits of the kinds of label that a study distinguishes."""
    which = list(kinds(pairs))
    node, _ = item_nodes(pairs)
    context, counts = (log_odds[jnp.array(which)] for log_odds in shifts(parameters))
    shift = context[:, None, None] + counts[:, None, None] * node
    shape = (len(which), pairs.num_groups, len(node))
    component = mixture(parameters, jnp.broadcast_to(shift, shape))
    away = excused(parameters)[jnp.array(which), None] + alike(parameters) * node
    judged = [presence(tables, parameters, each) for each in away]
    return Appearances(jnp.moveaxis(component, 0, 1), jnp.stack(judged, 1))


def excused(parameters: Parameters) -> Float[Array, " 4"]:
    """Return how much of the trait of each kind of label is owed to similar labels.

    A panel sees similar labels as well; but it is asked about all of them, so that
    what is added by not showing one is excused.
    """
    if "panel" in parameters:
        return jnp.zeros(4).at[Kind.CONTEXT_NOT_SHOWN].set(parameters[NOT_SHOWN])
    return shifts(parameters)[0]


def alike(parameters: Parameters) -> Float[Array, ""]:
    """Return what the effect of an item adds to labels of all kinds alike."""
    if "panel" in parameters:
        return jnp.zeros(())
    return parameters["item"].min()


def log_prior(pairs: Pairs, parameters: Parameters) -> Float[Array, "K P 1"]:
    """Return log p(absent), once for each kind, and log p(present) of each place."""
    odds = parameters["odds"].ravel()
    absent = [log_sigmoid(-odds)] * (len(kinds(pairs)) - 1)
    return jnp.stack([*absent, log_sigmoid(odds)])[:, :, None]


def _by_block(
    pairs: Pairs, rows: Float[Array, "P R"], tables: Float[Array, "G RC"]
) -> Float[Array, "P C"]:
    """Return the rows times the table of their group."""
    of_block = pairs.groups @ tables
    width = rows.shape[1]
    blocks = rows.reshape(len(of_block), -1, width)
    mixed = blocks @ of_block.reshape(len(of_block), width, -1)
    return mixed.reshape(len(rows), -1)


def of_items(pairs: Pairs, likelihood: Float[Array, "K P M"]) -> Float[Array, " I"]:
    """Return the log-likelihood of each item."""
    together = pairs.together
    absent, present = likelihood[0], likelihood[-1]
    if not pairs.similar:
        sets = together.sets @ (together.parts @ jnp.logaddexp(absent, present))
    else:
        shown, not_shown = likelihood[1], likelihood[-2]
        sums = [absent, shown, not_shown, softplus(present - shown)]
        nobody, all_shown, elsewhere, rise = jnp.split(
            together.parts @ jnp.concatenate(sums, 1), 4, 1
        )
        somebody = all_shown + _log_expm1(rise)
        more = softplus(somebody - elsewhere)
        nobody, elsewhere, rise = jnp.split(
            together.sets @ jnp.concatenate([nobody, elsewhere, more], 1), 3, 1
        )
        sets = jnp.logaddexp(nobody, elsewhere + _log_expm1(rise))
    _, weight = item_nodes(pairs)
    return logsumexp(together.items @ sets + weight, axis=1)


def belief_of_kinds(
    pairs: Pairs, likelihood: Float[Array, "K P M"]
) -> tuple[Float[Array, " I"], Float[Array, "K P M"]]:
    """Return the log-likelihood of each item, and p(kind, effect | its answers).

    Parameters are those of `of_items`.
    """

    def total(likelihood: Float[Array, "K P M"]) -> tuple[Array, Array]:
        items = of_items(pairs, likelihood)
        return items.sum(), items

    (_, items), belief = jax.value_and_grad(total, has_aux=True)(likelihood)
    return items, belief


def _log_expm1(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return log(exp(x) - 1) of what is above zero."""
    small = jnp.clip(x, MIN_PROBABILITY, WHOLE)
    return jnp.where(x > WHOLE, x, jnp.log(jnp.expm1(small)))
