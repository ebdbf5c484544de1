r"""Arithmetic of named objects: block weights, and their sums over partitions.

A block's weight, given who is a lister, is a product of what stands in
`consilience.annotators.objects`: its prior, what its main labels and its names weigh
under Dirichlet distributions, who saw it, and slips. So the answers to an item weigh

.. math::

   \sum_v \sum_\rho \prod_{B \in \rho} e^{\phi_{vB}}

over partitions and over completions v (`consilience.objects.layout.block_counts`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from consilience.model.contract import Parameters
from consilience.objects.layout.block_counts import (
    Blocks,
    block_sizes,
    each_style,
    log_sum_allocations_and_sizes,
    row_of_allocation,
)
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.partitions import members, sum_over_partitions
from consilience.objects.likelihood.endorsement import DIMS as GRANTING
from consilience.objects.likelihood.endorsement import endorsement, log_endorsed
from consilience.objects.likelihood.pair_affinities import DIMS as OWN_PAIRS
from consilience.objects.likelihood.pair_affinities import pair_affinities
from consilience.truth.maths import AnyArray, maths

DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "naming": ("label_covariate",),
        "salience": ("label_covariate",),
        "attraction": ("slope_covariate",),
        "objects": ("one",),
        "affinity": ("pair_covariate",),
        "often": ("block_covariate",),
        "seen": ("how_often",),
        "slip": ("mean_and_spread",),
        "picker": ("mean_and_spread",),
        "style": ("item_covariate",),
        **GRANTING,
        **OWN_PAIRS,
    }
)
"""Dimensions of the parameters that every model of named objects has."""

TINY = 1e-12  # of imagined votes; those of the empty block are none
AT_ONCE = 8  # steps of a product under one logarithm


def log_prior(known: BlockCovariates, parameters: Parameters) -> Float[AnyArray, "U n"]:
    """Return log p(k objects) before anyone has answered."""
    sums = sum_over_partitions(affinities(known, parameters))
    found: Float[AnyArray, "U n"] = sums - _whole(sums)
    return found


def _whole(sums: Float[AnyArray, "U n"]) -> Float[AnyArray, "U 1"]:
    whole: Float[AnyArray, "U 1"] = maths(sums).logsumexp(sums, axis=1, keepdims=True)
    return whole


def unit_sums(
    blocks: Blocks, known: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    return reported_sums(
        blocks, known, parameters, *completed(blocks, known, parameters)
    )


def reported_sums(
    blocks: Blocks,
    known: BlockCovariates,
    parameters: Parameters,
    phi: Float[AnyArray, "V B"],
    rest: Float[AnyArray, " V"],
) -> Float[AnyArray, "U n"]:
    """Return the same of what `completed` has returned."""
    total = log_sum_allocations_and_sizes(blocks, phi, rest)
    prior = sum_over_partitions(affinities(known, parameters))
    return total - _whole(prior)


def completed(
    blocks: Blocks, known: BlockCovariates, parameters: Parameters
) -> tuple[Float[AnyArray, "V B"], Float[AnyArray, " V"]]:
    """Return log weights of blocks, and of styles, of each completion."""
    here = maths(parameters)
    elsewhere = blocks.lazy @ (1 - members(blocks.num_labels).T)
    inside = blocks.lazy.sum(1, keepdims=True) - elsewhere
    seldom, often = detection_log_odds(parameters)
    # One product for both: what differs by unit alone.
    rows = here.xp.concatenate(exhaustive_weights(blocks, known, parameters), axis=1)
    low, high = here.xp.split(row_of_allocation(blocks, rows), 2, axis=1)
    seen = here.xp.logaddexp(
        low + elsewhere * here.log_sigmoid(-seldom),
        high + elsewhere * here.log_sigmoid(-often),
    )
    phi = seen + inside * slip_table(parameters, blocks.num_labels)[:, 0]
    style = each_style(
        blocks, picked(known.item, blocks.answered, blocks.most, parameters)
    )
    empty = np.arange(1 << blocks.num_labels) == 0
    return here.xp.where(empty, 0.0, phi), style + blocks.ways


def exhaustive_weights(
    blocks: Blocks, known: BlockCovariates, parameters: Parameters
) -> tuple[Float[AnyArray, "U B"], Float[AnyArray, "U B"]]:
    """Return log weights of blocks, seldom and often seen, by exhaustive responses."""
    here = maths(parameters)
    seldom, often = detection_log_odds(parameters)
    odds = known.block @ parameters["often"]
    said = log_endorsed(known, here.xp.stack([seldom, often]), parameters)
    slips = slip_table(parameters, blocks.num_labels)
    alike = named_weights(blocks, known, parameters) + (blocks.slips * slips).sum(2)
    low = (
        here.log_sigmoid(-odds)
        + _detected(blocks.seen, blocks.unseen, seldom)
        + said[0]
    )
    high = (
        here.log_sigmoid(odds) + _detected(blocks.seen, blocks.unseen, often) + said[1]
    )
    return alike + low, alike + high


def affinities(
    known: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return log c of each block."""
    alike = parameters["objects"] + known.pair @ parameters["affinity"]
    return alike + pair_affinities(known, parameters)


def imagined(
    known: BlockCovariates, parameters: Parameters, what: str
) -> Float[AnyArray, "U n"]:
    """Return the imagined votes of each candidate, for `naming` or `salience`."""
    xp = maths(parameters).xp
    votes = known.label @ xp.exp(parameters[what])
    found: Float[AnyArray, "U n"] = votes * xp.exp(
        known.slope @ parameters["attraction"]
    )
    return found


def named_weights(
    blocks: Blocks, known: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return what of a block's weight does not depend on who is a lister."""
    inside = members(blocks.num_labels).T
    votes = imagined(known, parameters, "salience")
    names = imagined(known, parameters, "naming")
    most = blocks.most
    main = rising(votes @ inside, blocks.main, most)
    total = rising(names @ inside, blocks.named, most)
    each = rising_by_count(names, blocks.names, most).sum(2)
    whole = rising(votes.sum(1), blocks.votes, most)
    # Each block of a partition bears a part of what the partition bears once: the block
    # of the first label all of it.
    first = members(blocks.num_labels)[:, 0]
    return (
        affinities(known, parameters)
        + main
        + each
        - total
        + blocks.uniform
        - whole[:, None] * first
    )


def rising(
    votes: Float[AnyArray, "*#n"], count: Int[AnyArray, "*#n"], most: int
) -> Float[AnyArray, "*n"]:
    """Return log of v (v + 1) ... (v + c - 1): what c votes weigh under a Dirichlet.

    Parameters
    ----------
    votes, count
        v and c.
    most
        No count is larger.
    """
    if isinstance(votes, jax.Array):
        found: Float[AnyArray, "*n"] = _sloping(votes, count, most)
        return found
    return _rising(votes, count, most)


def _rising(
    votes: Float[AnyArray, "*#n"], count: Int[AnyArray, "*#n"], most: int
) -> Float[AnyArray, "*n"]:
    xp = maths(votes).xp
    votes = xp.maximum(votes, TINY)[..., None]
    logs = []
    # One logarithm for several steps, whose product no number of votes makes too large.
    for start in range(0, most, AT_ONCE):
        step = np.arange(start, min(start + AT_ONCE, most))
        each = xp.where(step < count[..., None], votes + step, 1.0)
        logs.append(xp.log(xp.prod(each, -1)))
    found: Float[AnyArray, "*n"] = sum(logs, np.zeros(()))
    return found


_sloping = jax.custom_jvp(_rising, nondiff_argnums=(2,))


@_sloping.defjvp
def _rising_slope(
    most: int,
    primals: tuple[Float[Array, "*#n"], Int[AnyArray, "*#n"]],
    tangents: tuple[Float[Array, "*#n"], Any],
) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    (votes, count), (towards, _) = primals, tangents
    step = jnp.arange(most)
    each = 1.0 / (jnp.maximum(votes, TINY)[..., None] + step)
    steps = jnp.where(step < count[..., None], each, 0.0).sum(-1)
    slope = jnp.where(votes > TINY, steps, 0.0)
    return rising(votes, count, most), slope * towards


def rising_to(votes: Float[AnyArray, "*n"], most: int) -> Float[AnyArray, "*n W"]:
    """Return the same of every count from none to the most."""
    steps = maths(votes).xp.log(votes[..., None] + np.arange(most))
    # A product: XLA's cumulative sum takes several times as long.
    before = np.arange(most)[:, None] < np.arange(most + 1)
    found: Float[AnyArray, "*n W"] = steps @ before.astype(float)
    return found


def rising_by_count(
    votes: Float[AnyArray, "U n"], count: Int[AnyArray, "U B n"], most: int
) -> Float[AnyArray, "U B n"]:
    """Return the same of counts that differ by block, votes that do not."""
    table = rising_to(votes, most)
    found: Float[AnyArray, "U B n"] = maths(votes).xp.take_along_axis(
        table[:, None], count[..., None], axis=3
    )[..., 0]
    return found


def slip_table(parameters: Parameters, num_labels: int) -> Float[AnyArray, "B n"]:
    """Return log p(these further names of a block), by block and how many they are.

    How readily a lister gives all names of a thing differs from one to the next: the
    chance of each is drawn anew, from a Beta distribution, for each response and block.
    """
    by_block = slips_by_size(parameters, num_labels)[
        block_sizes(num_labels).astype(int)
    ]
    found: Float[AnyArray, "B n"] = maths(parameters).once(by_block)
    return found


def slips_by_size(parameters: Parameters, num_labels: int) -> Float[AnyArray, "N n"]:
    """Return the same by how many labels a block holds, from none."""
    more = np.maximum(np.arange(num_labels + 1) - 1, 0)[:, None]
    count = np.arange(num_labels)[None]
    left = np.maximum(more - count, 0)
    yes, no = slip_weights(parameters)
    table = rising(yes, count, num_labels) + rising(no, left, num_labels)
    return table - rising(yes + no, count + left, num_labels)


def slip_weights(
    parameters: Parameters,
) -> tuple[Float[AnyArray, ""], Float[AnyArray, ""]]:
    """Return the weights of the Beta distribution of slips."""
    mean, spread = parameters["slip"]
    here = maths(parameters)
    weight = here.xp.exp(spread)
    return here.sigmoid(mean) * weight, here.sigmoid(-mean) * weight


def detection_log_odds(
    parameters: Parameters,
) -> tuple[Float[AnyArray, ""], Float[AnyArray, ""]]:
    """Return the log-odds of being seen, of what is seldom and what is often seen."""
    seldom, gap = parameters["seen"]
    return seldom, seldom + maths(parameters).xp.exp(gap)


def kind_odds(known: BlockCovariates, parameters: Parameters) -> Float[AnyArray, "U B"]:
    """Return the log-odds that a block is of what is often seen, no lister heard."""
    rates = maths(parameters).xp.stack(detection_log_odds(parameters))
    said = log_endorsed(known, rates, parameters)
    odds: Float[AnyArray, "U B"] = known.block @ parameters["often"] + said[1] - said[0]
    return odds


def follows(parameters: Parameters) -> Parameters:
    """Return what follows of leading questions; nothing where none were asked."""
    return endorsement(
        maths(parameters).xp.stack(detection_log_odds(parameters)), parameters
    )


def _detected(
    seen: Int[AnyArray, "U B"], missed: Int[AnyArray, "U B"], odds: Float[AnyArray, ""]
) -> Float[AnyArray, "U B"]:
    log_sigmoid = maths(odds).log_sigmoid
    found: Float[AnyArray, "U B"] = seen * log_sigmoid(odds) + missed * log_sigmoid(
        -odds
    )
    return found


def of_styles(
    item: Float[AnyArray, "U Y"], parameters: Parameters
) -> tuple[Float[AnyArray, " U"], Float[AnyArray, " U"]]:
    """Return the weights of the Beta distribution of the share of pickers, by item."""
    mean = parameters["picker"][0] + item @ parameters["style"]
    here = maths(parameters)
    weight = here.xp.exp(parameters["picker"][1])
    return here.sigmoid(mean) * weight, here.sigmoid(-mean) * weight


def picked(
    item: Float[AnyArray, "U Y"],
    answered: Int[AnyArray, " U"],
    most: int,
    parameters: Parameters,
) -> Float[AnyArray, "U W"]:
    """Return log p(such pickers and listers), by unit and number of pickers."""
    yes, no = of_styles(item, parameters)
    both = rising(yes + no, answered, most)
    ups, downs = rising_to(yes, most), rising_to(no, most)
    # Listers fall by one where pickers rise by one, from an end that differs by unit:
    # what lies beyond it is not an allocation, and its value is not used.
    xp = maths(parameters).xp
    listers = xp.maximum(answered[:, None] - np.arange(most + 1), 0)
    found: Float[AnyArray, "U W"] = (
        ups + xp.take_along_axis(downs, listers, 1) - both[:, None]
    )
    return found
