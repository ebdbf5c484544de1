"""Log weights of what items may hold, given parameters, on the host."""

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
    completed,
    detection_log_odds,
    imagined,
    kind_odds,
    of_styles,
    reported_sums,
    slip_table,
)
from consilience.truth.maths import on_host


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weighed:
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
    seen
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
    seen: Float[np.ndarray, " 2"]
    slips: Float[np.ndarray, "B n"]
    sums: Float[np.ndarray, "U n"]
    lean: Float[np.ndarray, "V B"] | None = None
    styles: Float[np.ndarray, "V T"] | None = None
    lists: Float[np.ndarray, "U T"] | None = None


@jax.jit
def _weights_by_annotator(
    blocks: Blocks, known: BlockCovariates, told: Responses, parameters: Parameters
) -> dict[str, Array]:
    phi, styles, lean = by_annotator.completed(blocks, known, told, parameters)
    pull, _ = by_annotator.pulls(known, parameters)
    node, weight = normal_nodes(31)
    apart = parameters["spreads"][:, None] * node
    share = jnp.exp(weight)
    rates = jnp.stack(detection_log_odds(parameters))[:, None] + apart[1]
    return {
        "phi": phi,
        "rest": logsumexp(styles, axis=1),
        "votes": imagined(known, parameters, "salience"),
        "names": imagined(known, parameters, "naming"),
        "often": kind_odds(known, parameters),
        "picker": jnp.zeros((2, len(pull))),
        # Of an annotator drawn from the population.
        "seen": logit(sigmoid(rates) @ share),
        "slips": slip_table(parameters, blocks.num_labels),
        "sums": by_annotator.unit_sums(blocks, known, told, parameters),
        "lean": lean,
        "styles": styles,
        "lists": sigmoid(-(pull[:, :, None] + apart[0])) @ share,
    }


def weighed(
    blocks: Blocks,
    known: BlockCovariates,
    parameters: Parameters,
    told: Responses | None = None,
) -> Weighed:
    """Return the log weights of blocks, on the host.

    Parameters
    ----------
    blocks, known
        Of all items of that many candidates.
    parameters
        One draw of them.
    told
        Who answered what, where annotators have parameters.
    """
    if told is not None:
        values = _weights_by_annotator(blocks, known, told, parameters)
        each = {name: np.asarray(value) for name, value in values.items()}
        return Weighed(**each, start=_starts(blocks))
    here, beside, values = on_host((blocks, known, dict(parameters)))
    phi, rest = completed(here, beside, values)
    return Weighed(
        phi=phi,
        rest=rest,
        start=_starts(blocks),
        votes=imagined(beside, values, "salience"),
        names=imagined(beside, values, "naming"),
        often=kind_odds(beside, values),
        picker=np.stack(of_styles(beside.item, values)),
        seen=np.stack(detection_log_odds(values)),
        slips=slip_table(values, blocks.num_labels),
        sums=reported_sums(here, beside, values, phi, rest),
    )


def _starts(blocks: Blocks) -> Int[np.ndarray, " U1"]:
    count = np.bincount(np.asarray(blocks.of_unit), minlength=len(blocks.unit))
    return np.concatenate([[0], np.cumsum(count)])
