r"""Arithmetic of named objects: block weights, and their sums over partitions.

A block's weight, given who is a lister, is a product of what stands in
`consilience.annotators.objects`: its prior, what its main labels and its names weigh
under Dirichlet distributions, who saw it, and slips. So the answers to an item weigh

.. math::

   \sum_v \sum_\rho \prod_{B \in \rho} e^{\phi_{vB}}

over partitions and over completions v (`consilience.truth.block_counts`).
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, logsumexp, sigmoid
from jaxtyping import Array, Float, Int

from consilience.model.contract import Parameters
from consilience.model.granting import DIMS as GRANTING
from consilience.model.granting import granted, log_granted
from consilience.model.own_pairs import DIMS as OWN_PAIRS
from consilience.model.own_pairs import own_affinities
from consilience.truth.block_counts import (
    Blocks,
    block_sizes,
    each_completion,
    each_style,
    over_ways,
    sum_completions,
)
from consilience.truth.covariates import Known
from consilience.truth.partitions import members, sum_over_partitions
from consilience.truth.totals import from_singles, total

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
# Of so many responses, no way to see an item is e^700 times as likely as another.
PLAIN = 100


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


def unit_totals(
    blocks: Blocks, known: Known, parameters: Parameters
) -> Float[Array, " U"]:
    """Return log p(answers) of units that have n candidates: `unit_sums`, summed.

    What the number of objects costs is saved: a cell of blocks and completions is one
    exponential, and partitions are sums of products (`consilience.truth.totals`).
    """
    cells = blocks.cells
    if cells is None or blocks.most > PLAIN:
        return logsumexp(unit_sums(blocks, known, parameters), axis=1)
    rows = sure_weights(blocks, known, parameters)
    off, apart = from_singles(jnp.logaddexp(*rows))
    low, high = (once(row - off).ravel() for row in rows)
    slips = slip_table(parameters, blocks.num_labels)[:, 0]  # of none
    spared = cells.inside * slips[cells.row % len(slips)]
    weight = jnp.zeros(len(cells.row))
    for row, rate in zip((low, high), seen_rates(parameters), strict=True):
        logs = row[cells.row] + cells.elsewhere * log_sigmoid(-rate) + spared
        weight += jnp.exp(logs)
    each = total(once(weight)[cells.cell])
    style = each_style(blocks, style_weights(blocks, known, parameters)) + blocks.ways
    answered = jnp.log(sum_completions(blocks, (each * jnp.exp(style))[:, None])[:, 0])
    prior = affinities(known, parameters)
    off, alone = from_singles(prior)
    return answered + apart - jnp.log(total(jnp.exp(prior - off).T)) - alone


def completed(
    blocks: Blocks, known: Known, parameters: Parameters
) -> tuple[Float[Array, "V B"], Float[Array, " V"]]:
    """Return log weights of blocks, and of styles, of each completion."""
    outside = jnp.asarray(1 - members(blocks.num_labels).T)
    elsewhere = blocks.lazy @ outside
    inside = blocks.lazy.sum(1, keepdims=True) - elsewhere
    seldom, often = seen_rates(parameters)
    # One product for both: what differs by unit alone.
    rows = jnp.concatenate(sure_weights(blocks, known, parameters), axis=1)
    low, high = jnp.split(each_completion(blocks, rows), 2, axis=1)
    seen = jnp.logaddexp(
        low + elsewhere * log_sigmoid(-seldom), high + elsewhere * log_sigmoid(-often)
    )
    phi = seen + inside * slip_table(parameters, blocks.num_labels)[:, 0]
    style = each_style(blocks, style_weights(blocks, known, parameters))
    return phi.at[:, 0].set(0.0), style + blocks.ways


def sure_weights(
    blocks: Blocks, known: Known, parameters: Parameters
) -> tuple[Float[Array, "U B"], Float[Array, "U B"]]:
    """Return log weights of blocks, seldom and often seen, by those surely listers."""
    seldom, often = seen_rates(parameters)
    odds = known.block @ parameters["often"]
    said = log_granted(known, jnp.stack([seldom, often]), parameters)
    slips = slip_table(parameters, blocks.num_labels)
    alike = named_weights(blocks, known, parameters) + (blocks.slips * slips).sum(2)
    low = log_sigmoid(-odds) + _seen(blocks.seen, blocks.unseen, seldom) + said[0]
    high = log_sigmoid(odds) + _seen(blocks.seen, blocks.unseen, often) + said[1]
    return alike + low, alike + high


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
    each = rising_by_count(names, blocks.names, most).sum(2)
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


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def rising(
    votes: Float[Array, "*#n"], count: Int[Array, "*#n"], most: int
) -> Float[Array, "*n"]:
    """Return log of v (v + 1) ... (v + c - 1): what c votes weigh under a Dirichlet.

    Parameters
    ----------
    votes, count
        v and c.
    most
        No count is larger.
    """
    votes = jnp.maximum(votes, TINY)[..., None]
    logs = []
    # One logarithm for several steps, whose product no number of votes makes too large.
    for start in range(0, most, AT_ONCE):
        step = jnp.arange(start, min(start + AT_ONCE, most))
        each = jnp.where(step < count[..., None], votes + step, 1.0)
        logs.append(jnp.log(jnp.prod(each, -1)))
    found: Float[Array, "*n"] = sum(logs, jnp.zeros(()))
    return found


@rising.defjvp
def _rising_slope(
    most: int,
    primals: tuple[Float[Array, "*#n"], Int[Array, "*#n"]],
    tangents: tuple[Float[Array, "*#n"], Any],
) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    (votes, count), (towards, _) = primals, tangents
    step = jnp.arange(most)
    each = 1.0 / (jnp.maximum(votes, TINY)[..., None] + step)
    steps = jnp.where(step < count[..., None], each, 0.0).sum(-1)
    slope = jnp.where(votes > TINY, steps, 0.0)
    return rising(votes, count, most), slope * towards


def rising_to(votes: Float[Array, "*n"], most: int) -> Float[Array, "*n W"]:
    """Return the same of every count from none to the most."""
    steps = jnp.log(votes[..., None] + jnp.arange(most))
    none = jnp.zeros((*votes.shape, 1), votes.dtype)
    return jnp.concatenate([none, jnp.cumsum(steps, -1)], -1)


def rising_by_count(
    votes: Float[Array, "U n"], count: Int[Array, "U B n"], most: int
) -> Float[Array, "U B n"]:
    """Return the same of counts that differ by block, votes that do not."""
    table = rising_to(votes, most)
    found: Float[Array, "U B n"] = jnp.take_along_axis(
        table[:, None], count[..., None], axis=3
    )[..., 0]
    return found


def slip_table(parameters: Parameters, num_labels: int) -> Float[Array, "B n"]:
    """Return log p(these further names of a block), by block and how many they are.

    How readily a lister gives all names of a thing differs from one to the next: the
    chance of each is drawn anew, from a Beta distribution, for each response and block.
    """
    more = jnp.maximum(jnp.arange(num_labels + 1) - 1, 0)[:, None]
    count = jnp.arange(num_labels)[None]
    left = jnp.maximum(more - count, 0)
    yes, no = slip_weights(parameters)
    table = rising(yes, count, num_labels) + rising(no, left, num_labels)
    table -= rising(yes + no, count + left, num_labels)
    by_block = table[block_sizes(num_labels).astype(int)]
    return once(by_block)


def once(table: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """Return the table, which XLA would compute anew for each cell that takes of it."""
    found: Float[Array, "*any"] = jax.lax.optimization_barrier(table)  # type: ignore[no-untyped-call]
    return found


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


def style_weights(
    blocks: Blocks, known: Known, parameters: Parameters
) -> Float[Array, "U W"]:
    """Return log p(such pickers and listers), by unit and number of pickers."""
    yes, no = of_styles(known, parameters)
    most = blocks.most
    both = rising(yes + no, blocks.answered, most)
    ups, downs = rising_to(yes, most), rising_to(no, most)
    # Listers fall by one where pickers rise by one, from an end that differs by unit:
    # what lies beyond it is no completion, and its value is not used.
    listers = jnp.maximum(blocks.answered[:, None] - jnp.arange(most + 1), 0)
    return ups + jnp.take_along_axis(downs, listers, 1) - both[:, None]
