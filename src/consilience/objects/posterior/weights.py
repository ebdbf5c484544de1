"""Log weights of the partitions of items, given parameters, on the host."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logit

from consilience.model.contract import Parameters
from consilience.model.rows import normal_nodes
from consilience.objects.layout.block_counts import Blocks, starts
from consilience.objects.layout.by_annotator import Responses
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.likelihood.by_annotator import single_label_log_odds
from consilience.objects.likelihood.label_counts import (
    allocation_weights,
    detection_log_odds,
    duplicate_name_tables,
    duplicate_weights,
    high_log_odds,
    pseudo_votes,
    style_beta,
    sums_by_size,
)
from consilience.truth.arrays import on_host


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BlockWeights:
    """Log weights of items of n candidates under one draw of the parameters."""

    phi: Float[np.ndarray, "V B"]
    rest: Float[np.ndarray, " V"]
    start: Int[np.ndarray, " U1"]
    votes: Float[np.ndarray, "U n"]
    names: Float[np.ndarray, "U n"]
    high_detection: Float[np.ndarray, "U B"]
    single_label: Float[np.ndarray, "2 U"]
    detection: Float[np.ndarray, " 2"]
    synonyms: Float[np.ndarray, "U B"]
    spared: Float[np.ndarray, " B"]
    duplicates: Float[np.ndarray, "2 B n"]
    sums: Float[np.ndarray, "U n"]
    lean: Float[np.ndarray, "V B"] | None = None
    styles: Float[np.ndarray, "V T"] | None = None
    lists: Float[np.ndarray, "U T"] | None = None


def block_weights(
    blocks: Blocks,
    covariates: BlockCovariates,
    parameters: Parameters,
    responses: Responses | None = None,
) -> BlockWeights:
    """Return the log weights of blocks, on the host."""
    counts, columns, values, who = on_host(
        (blocks, covariates, dict(parameters), responses)
    )
    weights = allocation_weights(counts, columns, values, who)
    rivals, synonyms = duplicate_weights(counts, columns, values)
    duplicates = duplicate_name_tables(values, counts.num_labels)
    rates = np.stack(detection_log_odds(values))
    lists = None
    if who is not None:  # of an annotator drawn from the population
        node, weight = normal_nodes(31)
        apart, share = values["spreads"][:, None] * node, np.exp(weight)
        rates = logit(expit(rates[:, None] + apart[1]) @ share)
        pull, _ = single_label_log_odds(columns, values)
        lists = expit(-(pull[:, :, None] + apart[0])) @ share
    return BlockWeights(
        phi=weights.phi,
        rest=weights.rest,
        start=starts(counts),
        votes=pseudo_votes(columns, values, "salience"),
        names=pseudo_votes(columns, values, "naming"),
        high_detection=high_log_odds(columns, values),
        single_label=np.stack(style_beta(columns.item, values)),
        detection=rates,
        synonyms=synonyms - rivals,
        spared=duplicates[1, :, 0] - duplicates[0, :, 0],
        duplicates=duplicates,
        sums=sums_by_size(counts, columns, values, weights),
        lean=None if who is None else weights.high_odds,
        styles=None if who is None else weights.styles,
        lists=lists,
    )
