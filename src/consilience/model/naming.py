r"""Arithmetic of named objects: block weights, and their sums over partitions.

A block's weight, given who is a lister, is a product of what stands in
`consilience.annotators.objects`: its prior, what its main labels and its names weigh
under Dirichlet distributions, who saw it, and slips. So the answers to an item weigh

.. math::

   \sum_v \sum_\rho \prod_{B \in \rho} e^{\phi_{vB}}

over partitions and over completions v (`consilience.truth.blocks`).
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_sigmoid, logsumexp, sigmoid
from jax.scipy.special import betaln
from jaxtyping import Array, Float, Int

from consilience.model.contract import Parameters
from consilience.model.granting import DIMS as GRANTING
from consilience.model.granting import granted, log_granted
from consilience.model.own_pairs import DIMS as OWN_PAIRS
from consilience.model.own_pairs import own_affinities
from consilience.truth.blocks import (
    Blocks,
    block_sizes,
    each_completion,
    each_style,
    over_ways,
)
from consilience.truth.covariates import Known
from consilience.truth.partitions import members, sum_over_partitions

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


def log_prior(known: Known, parameters: Parameters) -> Float[Array, "U n"]:
    """Return log p(k objects) before anyone has answered."""
    sums = sum_over_partitions(affinities(known, parameters))
    return sums - logsumexp(sums, axis=1, keepdims=True)


def unit_sums(
    blocks: Blocks, known: Known, parameters: Parameters
) -> Float[Array, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    phi, rest = completed(blocks, known, parameters)
    total = over_ways(blocks, phi, rest)
    prior = sum_over_partitions(affinities(known, parameters))
    return total - logsumexp(prior, axis=1, keepdims=True)


def completed(
    blocks: Blocks, known: Known, parameters: Parameters
) -> tuple[Float[Array, "V B"], Float[Array, " V"]]:
    """Return log weights of blocks, and of styles, of each completion."""
    outside = jnp.asarray(1 - members(blocks.num_labels).T)
    elsewhere = blocks.lazy @ outside
    inside = blocks.lazy.sum(1, keepdims=True) - elsewhere
    seldom, often = seen_rates(parameters)
    odds = known.block @ parameters["often"]
    missed = blocks.unseen
    said = log_granted(known, jnp.stack([seldom, often]), parameters)
    low = log_sigmoid(-odds) + _seen(blocks.seen, missed, seldom) + said[0]
    high = log_sigmoid(odds) + _seen(blocks.seen, missed, often) + said[1]
    slips = slip_table(parameters, blocks.num_labels)
    alike = named_weights(blocks, known, parameters) + (blocks.slips * slips).sum(2)
    # One product for both: what differs by unit alone.
    rows = jnp.concatenate([alike + low, alike + high], axis=1)
    low, high = jnp.split(each_completion(blocks, rows), 2, axis=1)
    seen = jnp.logaddexp(
        low + elsewhere * log_sigmoid(-seldom), high + elsewhere * log_sigmoid(-often)
    )
    phi = seen + inside * slips[:, 0]
    style = each_style(blocks, _styles(blocks, known, parameters))
    return phi.at[:, 0].set(0.0), style + blocks.ways


def affinities(known: Known, parameters: Parameters) -> Float[Array, "U B"]:
    """Return log c of each block."""
    alike = parameters["objects"] + known.pair @ parameters["affinity"]
    return alike + own_affinities(known, parameters)


def imagined(known: Known, parameters: Parameters, what: str) -> Float[Array, "U n"]:
    """Return the imagined votes of each candidate, for `naming` or `salience`."""
    votes = known.label @ jnp.exp(parameters[what])
    return votes * jnp.exp(known.slope @ parameters["attraction"])


def named_weights(
    blocks: Blocks, known: Known, parameters: Parameters
) -> Float[Array, "U B"]:
    """Return what of a block's weight does not depend on who is a lister."""
    inside = jnp.asarray(members(blocks.num_labels).T)
    votes = imagined(known, parameters, "salience")
    names = imagined(known, parameters, "naming")
    most = blocks.most
    main = rising(votes @ inside, blocks.main, most)
    total = rising(names @ inside, blocks.named, most)
    steps = rising_steps(names, most).reshape(len(names), -1)
    each = jnp.einsum("ubw,uw->ub", blocks.names, steps)
    whole = rising(votes.sum(1), blocks.votes, most)
    # Each block of a partition bears a part of what the partition bears once: the block
    # of the first label all of it.
    first = jnp.asarray(members(blocks.num_labels)[:, 0])
    return (
        affinities(known, parameters)
        + main
        + each
        - total
        + blocks.uniform
        - whole[:, None] * first
    )


def rising_steps(votes: Float[Array, "*n"], most: int) -> Float[Array, "*n W"]:
    """Return log (v + j), for j from 0."""
    return jnp.log(votes[..., None] + jnp.arange(most))


def rising(
    votes: Float[Array, "*n"], count: Int[Array, "*n"], most: int
) -> Float[Array, "*n"]:
    """Return log of v (v + 1) ... (v + c - 1): what c votes weigh under a Dirichlet."""
    steps = rising_steps(jnp.maximum(votes, TINY), most)
    return jnp.where(jnp.arange(most) < count[..., None], steps, 0.0).sum(-1)


def slip_table(parameters: Parameters, num_labels: int) -> Float[Array, "B n"]:
    """Return log p(these further names of a block), by block and how many they are.

    How readily a lister gives all names of a thing differs from one to the next: the
    chance of each is drawn anew, from a Beta distribution, for each response and block.
    """
    more = np.maximum(block_sizes(num_labels) - 1, 0)[:, None]
    count = np.arange(num_labels)
    yes, no = slip_weights(parameters)
    left = np.maximum(more - count, 0)
    table = betaln(yes + count, no + left) - betaln(yes, no)
    # Or XLA computes it anew for each cell that it is added to: twelve times the work.
    once: Float[Array, "B n"] = jax.lax.optimization_barrier(table)  # type: ignore[no-untyped-call]
    return once


def slip_weights(parameters: Parameters) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the weights of the Beta distribution of slips."""
    mean, spread = parameters["slip"]
    return sigmoid(mean) * jnp.exp(spread), sigmoid(-mean) * jnp.exp(spread)


def seen_rates(parameters: Parameters) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the log-odds of being seen, of what is seldom and what is often seen."""
    seldom, gap = parameters["seen"]
    return seldom, seldom + jnp.exp(gap)


def kind_odds(known: Known, parameters: Parameters) -> Float[Array, "U B"]:
    """Return the log-odds that a block is of what is often seen, no lister heard."""
    said = log_granted(known, jnp.stack(seen_rates(parameters)), parameters)
    odds: Float[Array, "U B"] = known.block @ parameters["often"] + said[1] - said[0]
    return odds


def follows(parameters: Parameters) -> Parameters:
    """Return what follows of leading questions; nothing where none were asked."""
    return granted(jnp.stack(seen_rates(parameters)), parameters)


def _seen(
    seen: Int[Array, "U B"], missed: Int[Array, "U B"], odds: Float[Array, ""]
) -> Float[Array, "U B"]:
    return seen * log_sigmoid(odds) + missed * log_sigmoid(-odds)


def of_styles(
    known: Known, parameters: Parameters
) -> tuple[Float[Array, " U"], Float[Array, " U"]]:
    """Return the weights of the Beta distribution of the share of pickers, by item."""
    mean = parameters["picker"][0] + known.item @ parameters["style"]
    weight = jnp.exp(parameters["picker"][1])
    return sigmoid(mean) * weight, sigmoid(-mean) * weight


def _styles(
    blocks: Blocks, known: Known, parameters: Parameters
) -> Float[Array, "U W"]:
    """Return log p(such pickers and listers), by unit and number of pickers."""
    yes, no = of_styles(known, parameters)
    most = blocks.most
    both = rising(yes + no, blocks.answered, most)
    first = ((0, 0), (1, 0))
    ups = jnp.pad(jnp.cumsum(rising_steps(yes, most), -1), first)
    downs = jnp.pad(jnp.cumsum(rising_steps(no, most), -1), first)
    # Listers fall by one where pickers rise by one, from an end that differs by unit:
    # what lies beyond it is no completion, and its value is not used.
    listers = blocks.answered[:, None] - jnp.arange(most + 1)
    hit = listers[:, :, None] == jnp.arange(most + 1)
    down = jnp.einsum("uw,upw->up", downs, hit.astype(downs.dtype))
    return ups + down - both[:, None]
