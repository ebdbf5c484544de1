r"""Arithmetic of named objects where annotators have a style and a recall each.

As `consilience.objects.likelihood.label_counts`, but what listers see is summed over
answers: in the log-odds of being seen, and of picking one object, stands an effect of
who answers; and the item's own pull towards picking, one for all who answer about it,
is integrated out on nodes.
"""

import jax.numpy as jnp
from jax.nn import log_sigmoid, logsumexp
from jaxtyping import Array, Float

from consilience.model.contract import Parameters
from consilience.model.quadrature import normal_nodes
from consilience.objects.layout.block_counts import (
    Blocks,
    log_sum_allocations_and_sizes,
    row_of_allocation,
)
from consilience.objects.layout.by_annotator import Responses
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.partitions import members, sum_over_partitions
from consilience.objects.likelihood.endorsement import log_endorsed
from consilience.objects.likelihood.label_counts import (
    affinities,
    detection_log_odds,
    named_weights,
    slip_table,
)

NODES = 11  # of an item's pull


def unit_sums(
    blocks: Blocks, known: BlockCovariates, told: Responses, parameters: Parameters
) -> Float[Array, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    phi, styles, _ = completed(blocks, known, told, parameters)
    rest = logsumexp(styles, axis=1)
    total = log_sum_allocations_and_sizes(blocks, phi, rest)
    prior = sum_over_partitions(affinities(known, parameters))
    found: Float[Array, "U n"] = total - logsumexp(prior, axis=1, keepdims=True)
    return found


def completed(
    blocks: Blocks, known: BlockCovariates, told: Responses, parameters: Parameters
) -> tuple[Float[Array, "V B"], Float[Array, "V T"], Float[Array, "V B"]]:
    """Return log weights of blocks, of styles by node, and how far blocks are often."""
    recall = parameters["recall"]
    elsewhere = blocks.lazy @ jnp.asarray(1 - members(blocks.num_labels).T)
    inside = blocks.lazy.sum(1, keepdims=True) - elsewhere
    slips = slip_table(parameters, blocks.num_labels)
    alike = named_weights(blocks, known, parameters) + (blocks.slips * slips).sum(2)
    odds = known.block @ parameters["often"]
    said = log_endorsed(known, jnp.stack(detection_log_odds(parameters)), parameters)
    sure, unsure = [], []
    for rate in detection_log_odds(parameters):
        logit = (rate + recall[told.lister])[:, None]
        each = told.seen * log_sigmoid(logit) + told.missed * log_sigmoid(-logit)
        sure.append(told.of_lister @ each)
        logit = (rate + recall[told.single])[:, None]
        unsure.append(told.lazy @ (told.outside * log_sigmoid(-logit)))
    rows = jnp.concatenate(
        [
            log_sigmoid(-odds) + sure[0] + said[0],
            log_sigmoid(odds) + sure[1] + said[1],
            alike,
        ],
        axis=1,
    )
    low, high, alike = jnp.split(row_of_allocation(blocks, rows), 3, axis=1)
    low, high = low + unsure[0], high + unsure[1]
    phi = alike + inside * slips[:, 0] + jnp.logaddexp(low, high)
    styles = _styles(blocks, known, told, parameters)
    return phi.at[:, 0].set(0.0), styles, high - low


def pulls(
    known: BlockCovariates, parameters: Parameters
) -> tuple[Float[Array, "U T"], Float[Array, " T"]]:
    """Return the log-odds of picking by node, and the nodes' log weights."""
    node, weight = normal_nodes(NODES)
    mean = parameters["picker"][0] + known.item @ parameters["style"]
    return mean[:, None] + jnp.exp(parameters["picker"][1]) * node, weight


def _styles(
    blocks: Blocks, known: BlockCovariates, told: Responses, parameters: Parameters
) -> Float[Array, "V T"]:
    """Return log p(such pickers and listers, node), of each completion."""
    pull, weight = pulls(known, parameters)
    picking = parameters["picking"]
    lists = log_sigmoid(-pull[told.unit_of_lister] - picking[told.lister][:, None])
    logit = pull[told.unit_of_single] + picking[told.single][:, None]
    # log p(lister) - log p(picker) is minus the log-odds.
    sure = told.of_lister @ lists + told.of_single @ log_sigmoid(logit)
    each: Float[Array, "V T"] = row_of_allocation(blocks, sure + weight)
    return each - told.lazy @ logit
