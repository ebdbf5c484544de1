"""Log weights of the partitions of items, given parameters, on the host."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp, sigmoid
from jax.scipy.special import logit
from jaxtyping import Array, Float, Int

from consilience.model.contract import Parameters
from consilience.model.quadrature import normal_nodes
from consilience.objects.layout.block_counts import Blocks
from consilience.objects.layout.by_annotator import Responses
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.likelihood import by_annotator
from consilience.objects.likelihood.label_counts import (
    allocation_weights,
    detection_log_odds,
    kind_odds,
    pseudo_votes,
    reported_sums,
    slip_table,
    style_beta,
)
from consilience.truth.maths import on_host


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BlockWeights:
    """Log weights of items of n candidates under one draw of the parameters.

    Attributes
    ----------
    phi, rest
        Of blocks, and of styles, of each completion.
    start
        Where the completions of each item begin; and the end.
    votes, names, often
        Imagined votes of each candidate for the main one, and for a name; log-odds
        that a block is of what is often seen.
    picker
        Weights of the Beta distribution of pickers, by item.
    detection
        Log-odds of being seen, seldom and often.
    slips
        Log probability of further names of a block.
    sums
        Log p(k objects, answers), exact.
    lean
        Where annotators have parameters: log-odds that a block is of what is often
        seen, of each completion.
    styles, lists
        There: log weights of the nodes of an item's pull towards picking, and the share
        of annotators who list at each.
    """

    phi: Float[np.ndarray, "V B"]
    rest: Float[np.ndarray, " V"]
    start: Int[np.ndarray, " U1"]
    votes: Float[np.ndarray, "U n"]
    names: Float[np.ndarray, "U n"]
    often: Float[np.ndarray, "U B"]
    picker: Float[np.ndarray, "2 U"]
    detection: Float[np.ndarray, " 2"]
    slips: Float[np.ndarray, "B n"]
    sums: Float[np.ndarray, "U n"]
    lean: Float[np.ndarray, "V B"] | None = None
    styles: Float[np.ndarray, "V T"] | None = None
    lists: Float[np.ndarray, "U T"] | None = None


@jax.jit
def _weights_by_annotator(
    blocks: Blocks,
    covariates: BlockCovariates,
    responses: Responses,
    parameters: Parameters,
) -> dict[str, Array]:
    phi, styles, lean = by_annotator.allocation_weights(
        blocks, covariates, responses, parameters
    )
    pull, _ = by_annotator.picker_log_odds(covariates, parameters)
    node, weight = normal_nodes(31)
    apart = parameters["spreads"][:, None] * node
    share = jnp.exp(weight)
    rates = jnp.stack(detection_log_odds(parameters))[:, None] + apart[1]
    return {
        "phi": phi,
        "rest": logsumexp(styles, axis=1),
        "votes": pseudo_votes(covariates, parameters, "salience"),
        "names": pseudo_votes(covariates, parameters, "naming"),
        "often": kind_odds(covariates, parameters),
        "picker": jnp.zeros((2, len(pull))),
        # Of an annotator drawn from the population.
        "detection": logit(sigmoid(rates) @ share),
        "slips": slip_table(parameters, blocks.num_labels),
        "sums": by_annotator.unit_sums(blocks, covariates, responses, parameters),
        "lean": lean,
        "styles": styles,
        "lists": sigmoid(-(pull[:, :, None] + apart[0])) @ share,
    }


def block_weights(
    blocks: Blocks,
    covariates: BlockCovariates,
    parameters: Parameters,
    responses: Responses | None = None,
) -> BlockWeights:
    """Return the log weights of blocks, on the host.

    Parameters
    ----------
    blocks, covariates
        Of all items of that many candidates.
    parameters
        One draw of them.
    responses
        Who answered what, where annotators have parameters.
    """
    if responses is not None:
        values = _weights_by_annotator(blocks, covariates, responses, parameters)
        weights = {name: np.asarray(value) for name, value in values.items()}
        return BlockWeights(**weights, start=_starts(blocks))
    block_arrays, covariate_arrays, values = on_host(
        (blocks, covariates, dict(parameters))
    )
    phi, rest = allocation_weights(block_arrays, covariate_arrays, values)
    return BlockWeights(
        phi=phi,
        rest=rest,
        start=_starts(blocks),
        votes=pseudo_votes(covariate_arrays, values, "salience"),
        names=pseudo_votes(covariate_arrays, values, "naming"),
        often=kind_odds(covariate_arrays, values),
        picker=np.stack(style_beta(covariate_arrays.item, values)),
        detection=np.stack(detection_log_odds(values)),
        slips=slip_table(values, blocks.num_labels),
        sums=reported_sums(block_arrays, covariate_arrays, values, phi, rest),
    )


def _starts(blocks: Blocks) -> Int[np.ndarray, " U1"]:
    count = np.bincount(np.asarray(blocks.of_unit), minlength=len(blocks.unit))
    return np.concatenate([[0], np.cumsum(count)])
