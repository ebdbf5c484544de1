"""Scores of units and counts of answers by the tables of an emission."""

import numpy as np
from jaxtyping import Float

from consilience.model.emissions.emission import (
    ByConfusion,
    ByMixture,
    BySubtype,
    ByTables,
)
from consilience.truth.response_matrix import ResponseMatrix


def scores_by_table(
    matrix: ResponseMatrix,
    emission: BySubtype,
    log_prevalence: Float[np.ndarray, " K"] | None,
    log_prior: Float[np.ndarray, "U S"] | None = None,
) -> Float[np.ndarray, "U M"]:
    """Return log p(state, the unit's answers) by the tables of an emission."""
    table = emission.log_confusion
    _, states, subtypes, _ = table.shape
    whole = np.broadcast_to(table, (matrix.num_annotators, *table.shape[1:]))
    rows = np.moveaxis(whole, 3, 1).reshape(-1, states * subtypes)
    likelihood = (matrix.by_pair @ rows).reshape(-1, states, subtypes)
    prior = np.broadcast_to(emission.log_share, (states, subtypes))
    if log_prevalence is not None:
        prior = prior + matrix.prevalent[:, :, None] * log_prevalence[:, None]
    likelihood += prior
    listed_prior = matrix.log_prior if log_prior is None else log_prior
    scores = matrix.listed(likelihood)
    scores += listed_prior[:, :, None]
    return scores.reshape(len(scores), -1)


def parts_and_shares(
    emission: ByTables,
) -> tuple[Float[np.ndarray, "P #J K T L"], Float[np.ndarray, "#K T"]]:
    """Return log p(part, answer | state, subtype), and log p(subtype | state)."""
    match emission:
        case ByConfusion(table):
            return table[None, :, :, None], np.zeros((1, 1))
        case ByMixture(parts):
            return parts[:, :, :, None], np.zeros((1, 1))
        case BySubtype(table, share):
            return table[None], share


def normalised(
    scores: Float[np.ndarray, "U M"],
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, "U M"]]:
    """Return the log-likelihood of each unit, and the posterior of its states."""
    # States first: a sum over rows is several times as fast as over short rows.
    belief = np.ascontiguousarray(scores.T)
    largest = belief.max(0)
    belief -= largest
    np.exp(belief, out=belief)
    total = belief.sum(0)
    belief /= total
    return largest + np.log(total), np.ascontiguousarray(belief.T)


def answers_by_part(
    answers: Float[np.ndarray, "#J K T L"],
    parts: Float[np.ndarray, "P #J K T L"],
    table: Float[np.ndarray, "#J K T L"],
    deal: np.random.Generator | None,
) -> Float[np.ndarray, "P #J K T L"]:
    """Return how many answers of each cell came from each part."""
    if len(parts) == 1:
        return answers[None]
    share = np.exp(parts - table)
    if deal is None:
        return share * answers
    chance = np.moveaxis(share, 0, -1)
    chance /= chance.sum(-1, keepdims=True)
    dealt = np.zeros(chance.shape)
    some = answers > 0
    whole = np.rint(answers[some]).astype(np.int64)
    dealt[some] = deal.multinomial(whole, chance[some])
    return np.moveaxis(dealt, -1, 0)
