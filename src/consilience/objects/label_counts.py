r"""Arithmetic of named objects: block weights, and their sums over partitions.

Given which responses are exhaustive, the weight of a block is a product of the factors
in `consilience.annotators.objects`: its prior, the Dirichlet factors of its main labels
and of its names, its detections at either level, and its duplicate names, be its names
rivals or synonyms. The answers to an item weigh

.. math::

   \sum_v \sum_\rho \prod_{B \in \rho} e^{\phi_{vB}}

over partitions and over allocations v (`consilience.objects.block_counts`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from consilience.model.contract import Parameters
from consilience.objects.block_counts import (
    Blocks,
    block_sizes,
    log_sum_allocations_and_sizes,
)
from consilience.objects.covariates import BlockCovariates
from consilience.objects.endorsement import ENDORSEMENT_DIMS, log_endorsed
from consilience.objects.items import EndToEnd
from consilience.objects.partitions import members, pairs_inside, sum_over_partitions
from consilience.truth.arrays import AnyArray, maths

DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "naming": ("label_covariate",),
        "salience": ("label_covariate",),
        "attraction": ("slope_covariate",),
        "objects": ("one",),
        "affinity": ("pair_covariate",),
        "high_detection": ("block_covariate",),
        "detection": ("detection_level",),
        "duplicate_name": ("names", "mean_and_spread"),
        "synonyms": ("pair_covariate",),
        "single_label": ("mean_and_spread",),
        "style": ("item_covariate",),
        **ENDORSEMENT_DIMS,
        "pairs": ("pair",),
        "pairs_spread": (),
        "synonym_pairs": ("pair",),
    }
)
"""Dimensions of the parameters that every model of named objects has."""

TINY = 1e-12  # of imagined votes; those of the empty block are none
AT_ONCE = 8  # steps of a product under one logarithm


def log_prior(
    covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U n"]:
    """Return log p(k objects) before anyone has answered."""
    sums = sum_over_partitions(affinities(covariates, parameters))
    return sums - maths(sums).logsumexp(sums, axis=1, keepdims=True)


def sums_by_size(
    blocks: Blocks,
    covariates: BlockCovariates,
    parameters: Parameters,
    weights: tuple[Float[AnyArray, "V B"], Float[AnyArray, " V"]] | None = None,
) -> Float[AnyArray, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    if weights is None:
        weights = allocation_weights(blocks, covariates, parameters)
    total = log_sum_allocations_and_sizes(blocks, *weights)
    prior = sum_over_partitions(affinities(covariates, parameters))
    return total - maths(prior).logsumexp(prior, axis=1, keepdims=True)


def allocation_weights(
    blocks: Blocks, covariates: BlockCovariates, parameters: Parameters
) -> tuple[Float[AnyArray, "V B"], Float[AnyArray, " V"]]:
    """Return log weights of blocks, and of styles, of each allocation."""
    library = maths(parameters)
    xp, log_sigmoid = library.xp, library.log_sigmoid
    elsewhere = blocks.exhaustive_singles @ (1 - members(blocks.num_labels).T)
    inside = blocks.exhaustive_singles.sum(1, keepdims=True) - elsewhere
    rates = detection_log_odds(parameters)
    sure = [log_detected(blocks, rate) for rate in rates]
    probability = log_style_probability(
        covariates.item, blocks.answered, blocks.most, parameters
    )
    odds = covariates.block @ parameters["high_detection"]
    endorsed = log_endorsed(covariates, xp.stack(rates), parameters)
    shared = named_weights(blocks, covariates, parameters)
    # One product for all: what differs by unit alone.
    rows = xp.concatenate(
        [
            shared + log_sigmoid(-odds) + sure[0] + endorsed[0],
            shared + log_sigmoid(odds) + sure[1] + endorsed[1],
            *duplicate_weights(blocks, covariates, parameters),
        ],
        axis=1,
    )
    low, high, *names = xp.split(rows[blocks.of_unit], 4, axis=1)
    low, high = (
        weight + elsewhere * log_sigmoid(-rate)
        for weight, rate in zip((low, high), rates, strict=True)
    )
    tables = duplicate_name_tables(parameters, blocks.num_labels)
    rivals, synonyms = (
        weight + inside * table[:, 0]
        for weight, table in zip(names, tables, strict=True)
    )
    phi = xp.logaddexp(low, high) + xp.logaddexp(rivals, synonyms)
    empty = np.arange(1 << blocks.num_labels) == 0
    styles = probability[blocks.of_unit, blocks.single_label] + blocks.log_multiplicity
    return xp.where(empty, 0.0, phi), styles


def log_detected(
    counts: Blocks | EndToEnd, odds: Float[AnyArray, ""]
) -> Float[AnyArray, "*n"]:
    """Return log p(exhaustive responses detect, or miss, each block)."""
    log_sigmoid = maths(odds).log_sigmoid
    return counts.detected * log_sigmoid(odds) + counts.missed * log_sigmoid(-odds)


def duplicate_weights(
    blocks: Blocks, covariates: BlockCovariates, parameters: Parameters
) -> list[Float[AnyArray, "U B"]]:
    """Return log weights of duplicate names in exhaustive responses of several labels.

    Of blocks whose names are rivals, and of those whose names are synonyms.
    """
    log_sigmoid = maths(parameters).log_sigmoid
    odds = synonym_log_odds(covariates, parameters)
    tables = duplicate_name_tables(parameters, blocks.num_labels)
    return [
        log_sigmoid(sign * odds) + (blocks.duplicates * table).sum(2)
        for sign, table in zip((-1, 1), tables, strict=True)
    ]


def synonym_log_odds(
    covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return the log-odds that a block's names are synonyms: the mean over its pairs.

    A block of one name has no pairs, and nothing follows from its log-odds.
    """
    total = covariates.pair @ parameters["synonyms"]
    total += pair_effects(covariates, parameters, "synonym_pairs")
    return total / num_pairs(block_sizes(covariates.label.shape[1]))


def num_pairs(size: Shaped[AnyArray, "*n"]) -> Float[AnyArray, "*n"]:
    """Return the number of pairs of so many names, at least one."""
    return maths(size).xp.maximum(size * (size - 1) / 2, 1)


def affinities(
    covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return log c of each block."""
    alike = parameters["objects"] + covariates.pair @ parameters["affinity"]
    return alike + pair_effects(covariates, parameters, "pairs")


def pair_effects(
    covariates: BlockCovariates, parameters: Parameters, name: str
) -> Float[AnyArray, "U B"] | float:
    """Return the sum of what the pairs inside each block have of their own."""
    if covariates.pairs is None or name not in parameters:
        return 0.0
    effect = maths(parameters).xp.append(parameters[name], 0.0)[covariates.pairs]
    return effect @ pairs_inside(covariates.label.shape[1])


def pseudo_votes(
    covariates: BlockCovariates | EndToEnd, parameters: Parameters, what: str
) -> Float[AnyArray, "*n"]:
    """Return the imagined votes of each candidate, for `naming` or `salience`."""
    xp = maths(parameters).xp
    votes = covariates.label @ xp.exp(parameters[what])
    return votes * xp.exp(covariates.slope @ parameters["attraction"])


def named_weights(
    blocks: Blocks, covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return the part of a block's weight that no allocation of responses changes."""
    inside = members(blocks.num_labels).T
    votes = pseudo_votes(covariates, parameters, "salience")
    names = pseudo_votes(covariates, parameters, "naming")
    most = blocks.most
    main = log_rising_factorial(votes @ inside, blocks.main, most)
    total = log_rising_factorial(names @ inside, blocks.named, most)
    table = log_rising_factorials(names, most)[:, None]
    counts = blocks.names[..., None]
    by_label = maths(names).xp.take_along_axis(table, counts, axis=3)[..., 0].sum(2)
    whole = log_rising_factorial(votes.sum(1), blocks.votes, most)
    # Each block of a partition bears a part of what the partition bears once: the block
    # of the first label all of it.
    first = members(blocks.num_labels)[:, 0]
    return (
        affinities(covariates, parameters)
        + main
        + by_label
        - total
        + blocks.uniform
        - whole[:, None] * first
    )


def log_rising_factorial(
    votes: Float[AnyArray, "*#n"], count: Int[AnyArray, "*#n"], max_count: int
) -> Float[AnyArray, "*n"]:
    """Return log of v (v + 1) ... (v + c - 1): what c votes weigh under a Dirichlet."""
    way = _sloping if isinstance(votes, jax.Array) else _rising
    return way(votes, count, max_count)


def _rising(
    votes: Float[AnyArray, "*#n"], count: Int[AnyArray, "*#n"], max_count: int
) -> Float[AnyArray, "*n"]:
    xp = maths(votes).xp
    votes = xp.maximum(votes, TINY)[..., None]
    logs = []
    # One logarithm for several steps, whose product no number of votes makes too large.
    for start in range(0, max_count, AT_ONCE):
        step = np.arange(start, min(start + AT_ONCE, max_count))
        factors = xp.where(step < count[..., None], votes + step, 1.0)
        logs.append(xp.log(xp.prod(factors, -1)))
    return sum(logs, np.zeros(()))


_sloping = jax.custom_jvp(_rising, nondiff_argnums=(2,))


@_sloping.defjvp
def _rising_slope(
    max_count: int,
    primals: tuple[Float[Array, "*#n"], Int[AnyArray, "*#n"]],
    tangents: tuple[Float[Array, "*#n"], Any],
) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    (votes, count), (towards, _) = primals, tangents
    step = jnp.arange(max_count)
    reciprocals = 1.0 / (jnp.maximum(votes, TINY)[..., None] + step)
    steps = jnp.where(step < count[..., None], reciprocals, 0.0).sum(-1)
    slope = jnp.where(votes > TINY, steps, 0.0)
    return log_rising_factorial(votes, count, max_count), slope * towards


def log_rising_factorials(
    votes: Float[AnyArray, "*n"], max_count: int
) -> Float[AnyArray, "*n W"]:
    """Return the same of every count from none to the most."""
    steps = maths(votes).xp.log(votes[..., None] + np.arange(max_count))
    # A product: XLA's cumulative sum takes several times as long.
    before = np.arange(max_count)[:, None] < np.arange(max_count + 1)
    return steps @ before.astype(float)


def duplicate_name_tables(
    parameters: Parameters, num_labels: int
) -> Float[AnyArray, "2 B n"]:
    """Return log p(these further names of a block), by block and how many they are."""
    size = block_sizes(num_labels).astype(int)
    by_size = duplicate_names_by_size(parameters, num_labels)
    return maths(parameters).once(by_size[:, size])


def duplicate_names_by_size(
    parameters: Parameters, num_labels: int
) -> Float[AnyArray, "2 N n"]:
    """Return the same by how many labels a block holds, from none."""
    more = np.maximum(np.arange(num_labels + 1) - 1, 0)[:, None]
    count = np.arange(num_labels)[None]
    left = np.maximum(more - count, 0)
    yes, no = (weight[:, None, None] for weight in duplicate_name_weights(parameters))
    given = log_rising_factorial(yes, count, num_labels)
    spared = log_rising_factorial(no, left, num_labels)
    return given + spared - log_rising_factorial(yes + no, count + left, num_labels)


def duplicate_name_weights(
    parameters: Parameters,
) -> tuple[Float[AnyArray, " 2"], Float[AnyArray, " 2"]]:
    """Return the weights of the Beta distributions of duplicate names."""
    mean, spread = parameters["duplicate_name"].T
    here = maths(parameters)
    weight = here.xp.exp(spread)
    return here.sigmoid(mean) * weight, here.sigmoid(-mean) * weight


def detection_log_odds(
    parameters: Parameters,
) -> tuple[Float[AnyArray, ""], Float[AnyArray, ""]]:
    """Return the low and the high log-odds that an object is detected."""
    low, gap = parameters["detection"]
    return low, low + maths(parameters).xp.exp(gap)


def high_log_odds(
    covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"]:
    """Return the log-odds of high detection before any exhaustive response."""
    rates = maths(parameters).xp.stack(detection_log_odds(parameters))
    endorsed = log_endorsed(covariates, rates, parameters)
    odds = covariates.block @ parameters["high_detection"]
    return odds + endorsed[1] - endorsed[0]


def style_beta(
    item: Float[AnyArray, "U Y"], parameters: Parameters
) -> tuple[Float[AnyArray, " U"], Float[AnyArray, " U"]]:
    """Return the Beta weights of the share of single-label responses, by item."""
    mean = parameters["single_label"][0] + item @ parameters["style"]
    here = maths(parameters)
    weight = here.xp.exp(parameters["single_label"][1])
    return here.sigmoid(mean) * weight, here.sigmoid(-mean) * weight


def log_style_probability(
    item: Float[AnyArray, "U Y"],
    answered: Int[AnyArray, " U"],
    max_answers: int,
    parameters: Parameters,
) -> Float[AnyArray, "U W"]:
    """Return log p(styles of responses), by unit and number of single-label ones."""
    yes, no = style_beta(item, parameters)
    both = log_rising_factorial(yes + no, answered, max_answers)
    ups, downs = (log_rising_factorials(each, max_answers) for each in (yes, no))
    # One more single-label response is one exhaustive response less:
    # what lies beyond it is not an allocation, and its value is not used.
    xp = maths(parameters).xp
    exhaustive = xp.maximum(answered[:, None] - np.arange(max_answers + 1), 0)
    return ups + xp.take_along_axis(downs, exhaustive, 1) - both[:, None]
