"""Log weights of the partitions of items, given parameters, on the host."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logit, logsumexp

from consilience.model.contract import Parameters
from consilience.model.rows import normal_nodes
from consilience.objects.layout.block_counts import Blocks
from consilience.objects.layout.by_annotator import Responses
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.likelihood import by_annotator
from consilience.objects.likelihood.label_counts import (
    allocation_weights,
    detection_log_odds,
    duplicate_name_tables,
    duplicate_weights,
    kind_odds,
    pseudo_votes,
    reported_sums,
    style_beta,
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
    rivals, synonyms = duplicate_weights(counts, columns, values)
    duplicates = duplicate_name_tables(values, counts.num_labels)
    alike: dict[str, Any] = {
        "start": _starts(counts),
        "votes": pseudo_votes(columns, values, "salience"),
        "names": pseudo_votes(columns, values, "naming"),
        "high_detection": kind_odds(columns, values),
        "synonyms": synonyms - rivals,
        "spared": duplicates[1, :, 0] - duplicates[0, :, 0],
        "duplicates": duplicates,
    }
    if who is None:
        phi, rest = allocation_weights(counts, columns, values)
        return BlockWeights(
            **alike,
            phi=phi,
            rest=rest,
            single_label=np.stack(style_beta(columns.item, values)),
            detection=np.stack(detection_log_odds(values)),
            sums=reported_sums(counts, columns, values, phi, rest),
        )
    phi, styles, lean = by_annotator.allocation_weights(counts, columns, who, values)
    pull, _ = by_annotator.single_label_log_odds(columns, values)
    node, weight = normal_nodes(31)
    apart, share = values["spreads"][:, None] * node, np.exp(weight)
    rates = np.stack(detection_log_odds(values))[:, None] + apart[1]
    return BlockWeights(
        **alike,
        phi=phi,
        rest=logsumexp(styles, axis=1),
        single_label=np.zeros((2, len(pull))),
        # Of an annotator drawn from the population.
        detection=logit(expit(rates) @ share),
        sums=by_annotator.reported_sums(counts, columns, values, phi, styles),
        lean=lean,
        styles=styles,
        lists=expit(-(pull[:, :, None] + apart[0])) @ share,
    )


def _starts(blocks: Blocks) -> Int[np.ndarray, " U1"]:
    count = np.bincount(np.asarray(blocks.of_unit), minlength=len(blocks.unit))
    return np.concatenate([[0], np.cumsum(count)])
