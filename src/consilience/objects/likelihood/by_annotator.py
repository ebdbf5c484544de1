r"""Arithmetic of named objects where annotators have a style and a recall each.

As `consilience.objects.likelihood.label_counts`, but what exhaustive responses detect
is summed over answers: in the log-odds of being seen, and of picking one object, stands
an effect of who answers; and the item's own pull towards picking, one for all who
answer about it, is integrated out on nodes.
"""

import numpy as np
from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.model.rows import normal_nodes
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
    duplicate_weights,
    log_duplicates,
    named_weights,
)
from consilience.truth.arrays import AnyArray, maths

NODES = 11  # of an item's pull


def unit_sums(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> Float[AnyArray, "U n"]:
    """Return log p(k objects, answers) of units that have n candidates."""
    phi, styles, _ = allocation_weights(blocks, covariates, responses, parameters)
    return reported_sums(blocks, covariates, parameters, phi, styles)


def reported_sums(
    blocks: Blocks,
    covariates: BlockCovariates,
    parameters: Parameters,
    phi: Float[AnyArray, "V B"],
    styles: Float[AnyArray, "V T"],
) -> Float[AnyArray, "U n"]:
    """Return the same, given the log weights of blocks and of styles."""
    logsumexp = maths(parameters).logsumexp
    total = log_sum_allocations_and_sizes(blocks, phi, logsumexp(styles, axis=1))
    prior = sum_over_partitions(affinities(covariates, parameters))
    return total - logsumexp(prior, axis=1, keepdims=True)


def allocation_weights(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> tuple[Float[AnyArray, "V B"], Float[AnyArray, "V T"], Float[AnyArray, "V B"]]:
    """Return log weights of blocks, of styles by node, and odds of high detection."""
    library, recall = maths(parameters), parameters["recall"]
    log_sigmoid = library.log_sigmoid
    elsewhere = blocks.exhaustive_singles @ (1 - members(blocks.num_labels).T)
    inside = blocks.exhaustive_singles.sum(1, keepdims=True) - elsewhere
    shared = named_weights(blocks, covariates, parameters)
    odds = covariates.block @ parameters["high_detection"]
    endorsement = log_endorsed(
        covariates, library.xp.stack(detection_log_odds(parameters)), parameters
    )
    sure, unsure = [], []
    for rate in detection_log_odds(parameters):
        logit = (rate + recall[responses.exhaustive])[:, None]
        log_likelihood = responses.detected * log_sigmoid(
            logit
        ) + responses.missed * log_sigmoid(-logit)
        sure.append(responses.of_exhaustive @ log_likelihood)
        logit = (rate + recall[responses.single])[:, None]
        unsure.append(
            responses.exhaustive_singles @ (responses.outside * log_sigmoid(-logit))
        )
    rows = library.xp.concatenate(
        [
            log_sigmoid(-odds) + sure[0] + endorsement[0],
            log_sigmoid(odds) + sure[1] + endorsement[1],
            shared,
            *duplicate_weights(blocks, covariates, parameters),
        ],
        axis=1,
    )
    by_allocation = library.xp.split(row_of_allocation(blocks, rows), 5, axis=1)
    low, high, shared, *names = by_allocation
    low, high = low + unsure[0], high + unsure[1]
    duplicates = log_duplicates(blocks, inside, names, parameters)
    phi = shared + duplicates + library.xp.logaddexp(low, high)
    styles = _styles(blocks, covariates, responses, parameters)
    empty = np.arange(phi.shape[1]) == 0
    return library.xp.where(empty, 0.0, phi), styles, high - low


def single_label_log_odds(
    covariates: BlockCovariates, parameters: Parameters
) -> tuple[Float[AnyArray, "U T"], Float[np.ndarray, " T"]]:
    """Return the log-odds of picking by node, and the nodes' log weights."""
    node, weight = normal_nodes(NODES)
    mean = parameters["single_label"][0] + covariates.item @ parameters["style"]
    spread = maths(parameters).xp.exp(parameters["single_label"][1])
    return mean[:, None] + spread * node, weight


def _styles(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> Float[AnyArray, "V T"]:
    """Return log p(styles of the responses, node), of each allocation."""
    pull, weight = single_label_log_odds(covariates, parameters)
    picking = parameters["single_label_effect"]
    log_sigmoid = maths(parameters).log_sigmoid
    lists = log_sigmoid(
        -pull[responses.unit_of_exhaustive] - picking[responses.exhaustive][:, None]
    )
    logit = pull[responses.unit_of_single] + picking[responses.single][:, None]
    # log p(exhaustive) - log p(single label) is minus the log-odds.
    sure = responses.of_exhaustive @ lists + responses.of_single @ log_sigmoid(logit)
    log_styles: Float[AnyArray, "V T"] = row_of_allocation(blocks, sure + weight)
    return (
        log_styles
        - responses.exhaustive_singles @ logit
        + blocks.log_multiplicity[:, None]
    )
