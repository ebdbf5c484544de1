r"""Arithmetic of named objects where annotators have a style and a recall each.

As `consilience.objects.likelihood.label_counts`, but what exhaustive responses detect
is summed over answers: in the log-odds of being seen, and of picking one object, stands
an effect of who answers; and the item's own pull towards picking, one for all who
answer about it, is integrated out on nodes.
"""

from collections.abc import Sequence

from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.model.rows import normal_nodes
from consilience.objects.layout.block_counts import Blocks, row_of_allocation
from consilience.objects.layout.by_annotator import Responses
from consilience.objects.layout.covariates import BlockCovariates
from consilience.truth.arrays import AnyArray, maths

NODES = 11  # of an item's pull


def log_detected(
    responses: Responses,
    rates: Sequence[Float[AnyArray, ""]],
    recall: Float[AnyArray, " J"],
) -> tuple[list[Float[AnyArray, "U B"]], list[Float[AnyArray, "V B"]]]:
    """Return log p(exhaustive responses detect, or miss, each block), at either level.

    Those of all responses that are certainly exhaustive, by unit; and those of one
    label that are, by allocation.
    """
    log_sigmoid = maths(recall).log_sigmoid
    sure, unsure = [], []
    for rate in rates:
        odds = (rate + recall[responses.exhaustive])[:, None]
        each = responses.detected * log_sigmoid(odds)
        each += responses.missed * log_sigmoid(-odds)
        sure.append(responses.of_exhaustive @ each)
        odds = (rate + recall[responses.single])[:, None]
        each = responses.outside * log_sigmoid(-odds)
        unsure.append(responses.exhaustive_singles @ each)
    return sure, unsure


def single_label_log_odds(
    covariates: BlockCovariates, parameters: Parameters
) -> tuple[Float[AnyArray, "U T"], Float[AnyArray, " T"]]:
    """Return the log-odds of picking by node, and the nodes' log weights."""
    node, weight = normal_nodes(NODES)
    mean = parameters["single_label"][0] + covariates.item @ parameters["style"]
    spread = maths(parameters).xp.exp(parameters["single_label"][1])
    return mean[:, None] + spread * node, weight


def styles(
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
    by_allocation = row_of_allocation(blocks, sure + weight)
    return by_allocation - responses.exhaustive_singles @ logit
