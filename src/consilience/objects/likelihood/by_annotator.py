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
from consilience.model.random_effects.quadrature import normal_nodes
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
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> Float[Array, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    phi, styles, _ = allocation_weights(blocks, covariates, responses, parameters)
    rest = logsumexp(styles, axis=1)
    total = log_sum_allocations_and_sizes(blocks, phi, rest)
    prior = sum_over_partitions(affinities(covariates, parameters))
    log_sums: Float[Array, "U n"] = total - logsumexp(prior, axis=1, keepdims=True)
    return log_sums


def allocation_weights(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> tuple[Float[Array, "V B"], Float[Array, "V T"], Float[Array, "V B"]]:
    """Return log weights of blocks, of styles by node, and how far blocks are often."""
    recall = parameters["recall"]
    elsewhere = blocks.lazy @ jnp.asarray(1 - members(blocks.num_labels).T)
    inside = blocks.lazy.sum(1, keepdims=True) - elsewhere
    slips = slip_table(parameters, blocks.num_labels)
    shared = named_weights(blocks, covariates, parameters) + (blocks.slips * slips).sum(
        2
    )
    odds = covariates.block @ parameters["often"]
    endorsement = log_endorsed(
        covariates, jnp.stack(detection_log_odds(parameters)), parameters
    )
    sure, unsure = [], []
    for rate in detection_log_odds(parameters):
        logit = (rate + recall[responses.lister])[:, None]
        log_likelihood = responses.detected * log_sigmoid(
            logit
        ) + responses.missed * log_sigmoid(-logit)
        sure.append(responses.of_lister @ log_likelihood)
        logit = (rate + recall[responses.single])[:, None]
        unsure.append(responses.lazy @ (responses.outside * log_sigmoid(-logit)))
    rows = jnp.concatenate(
        [
            log_sigmoid(-odds) + sure[0] + endorsement[0],
            log_sigmoid(odds) + sure[1] + endorsement[1],
            shared,
        ],
        axis=1,
    )
    low, high, shared = jnp.split(row_of_allocation(blocks, rows), 3, axis=1)
    low, high = low + unsure[0], high + unsure[1]
    phi = shared + inside * slips[:, 0] + jnp.logaddexp(low, high)
    styles = _styles(blocks, covariates, responses, parameters)
    return phi.at[:, 0].set(0.0), styles, high - low


def picker_log_odds(
    covariates: BlockCovariates, parameters: Parameters
) -> tuple[Float[Array, "U T"], Float[Array, " T"]]:
    """Return the log-odds of picking by node, and the nodes' log weights."""
    node, weight = normal_nodes(NODES)
    mean = parameters["picker"][0] + covariates.item @ parameters["style"]
    return mean[:, None] + jnp.exp(parameters["picker"][1]) * node, jnp.asarray(weight)


def _styles(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> Float[Array, "V T"]:
    """Return log p(such pickers and listers, node), of each completion."""
    pull, weight = picker_log_odds(covariates, parameters)
    picking = parameters["picking"]
    lists = log_sigmoid(
        -pull[responses.unit_of_lister] - picking[responses.lister][:, None]
    )
    logit = pull[responses.unit_of_single] + picking[responses.single][:, None]
    # log p(lister) - log p(picker) is minus the log-odds.
    sure = responses.of_lister @ lists + responses.of_single @ log_sigmoid(logit)
    log_styles: Float[Array, "V T"] = row_of_allocation(blocks, sure + weight)
    return log_styles - responses.lazy @ logit + blocks.log_multiplicity[:, None]
