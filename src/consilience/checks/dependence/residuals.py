"""Residuals of answers, summed over those of each unit: what dependence is seen in.

An answer is weighed as the model weighs it, by the odds v that it gives a state against
a rival. Its residual is v less what the model expects of the annotator in that state,
and its deviation the standard deviation of v there.

**The two annotators whose errors go together the most.** What is left of an answer
after its prediction from all others, its residual, should not go together with that of
another annotator. Where one copies the other, or both read a question in another way
than the rest, the residuals of the two do (Yen's Q3).

References
----------
Yen (1984), Effects of local item dependence on the fit and equating performance of the
three-parameter logistic model.
"""

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.model import ByTables, OnShortlists, lists_of, over_answers
from consilience.model.array_api import logsumexp
from consilience.truth import ResponseMatrix, Space

MIN_PROBABILITY = 1e-12  # of a probability
MOST_OF_ONE = 3.0  # standard deviations that a residual counts for
MIN_SHARED = 20  # units that two annotators must share
MOST = 2000  # annotators; a table of all pairs of more is not made


class Residuals(NamedTuple):
    """Sums over the answers r of each unit, given each state that the model knows."""

    residual: Float[np.ndarray, "U M"]
    square: Float[np.ndarray, "U M"]
    leaning: Float[np.ndarray, "U M"]
    deviation: tuple[Float[np.ndarray, "U M"], ...]
    label: Int[np.ndarray, "#U M"]


def residuals_of(answers: Any, matrix: ResponseMatrix) -> Residuals | None:
    """Return the residuals of answers from tables or on short lists, None of others."""
    if isinstance(answers, ByTables):
        return _table_residuals(answers, matrix)
    if isinstance(answers, OnShortlists):
        return _shortlist_residuals(answers, matrix)
    return None


def _table_residuals(tables: ByTables, matrix: ResponseMatrix) -> Residuals:
    """Weigh a label against its rival, the one that is answered most like it.

    (Were the two chosen item by item, by what was said of the item, residuals of
    independent annotators would correlate.)
    """
    _, states, subtypes, _ = tables.log_table.shape
    logs = np.maximum(tables.log_table, np.log(MIN_PROBABILITY))
    likely = np.exp(logs - logsumexp(logs, 3)[..., None])
    share = np.broadcast_to(np.exp(tables.log_share), (states, subtypes))
    shared = (likely * share[:, :, None]).sum(2)
    weighed = np.log(shared) - np.log(shared[:, _rivals(matrix, shared)])
    mean = (likely * weighed[:, :, None]).sum(3, keepdims=True)
    square = (likely * weighed[:, :, None] ** 2).sum(3, keepdims=True)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    residual = weighed[:, :, None] - mean

    def of_units(
        values: Float[np.ndarray, "#J K T #L"],
    ) -> Float[np.ndarray, "U M"]:
        summed = over_answers(matrix, np.broadcast_to(values, likely.shape))
        return summed.reshape(len(summed), -1)

    return Residuals(
        of_units(residual),
        of_units(residual**2),
        of_units(residual * deviation),
        tuple(of_units(deviation**power) for power in (1, 2, 3, 4)),
        np.repeat(matrix.state, subtypes, axis=1),
    )


def _shortlist_residuals(answers: OnShortlists, matrix: ResponseMatrix) -> Residuals:
    """Weigh right against wrong, by the annotator's odds of it.

    Where the list holds one label alone there is nothing to be wrong about, so that
    such units say nothing.
    """
    lists = lists_of(matrix)
    log_right, log_wrong = answers.log_skill.T
    chance, weight = np.exp(log_right), log_right - log_wrong
    deviation = np.abs(weight) * np.sqrt(chance * (1 - chance))
    # Of an answer that is right: what is added to that of a wrong one.
    gained = [weight, weight**2 * (1 - 2 * chance), weight * deviation]
    wrong = [-weight * chance, (weight * chance) ** 2, -weight * chance * deviation]
    powers = [deviation**power for power in (1, 2, 3, 4)]
    slots, units = lists.count.shape
    moments = lists.by_slot @ np.stack([*gained, *wrong, *powers], 1)
    moments = moments.reshape(slots, units, -1) * (lists.real.sum(0) > 1)[..., None]
    hit = lists.right.astype(float)
    right = np.einsum("st,tuc->cus", hit, moments[..., :3])
    both = right + moments[..., 3:6].sum(0).T[:, :, None]
    shape = right.shape[1:]
    spread = [
        np.broadcast_to(each[:, None], shape) for each in moments[..., 6:].sum(0).T
    ]
    return Residuals(both[0], both[1], both[2], tuple(spread), np.zeros(shape, int))


def _rivals(
    matrix: ResponseMatrix, shared: Float[np.ndarray, "#J K L"]
) -> Int[np.ndarray, " K"]:
    """Return of each state which other one is answered most alike (Bhattacharyya).

    It depends on the confusions alone, not on the answers about any item.
    """
    answers = np.asarray(matrix.by_pair.sum(0))
    answers = answers.reshape(matrix.num_annotators, -1).sum(1)
    weight = answers / max(answers.sum(), 1)
    whole = np.broadcast_to(shared, (len(weight), *shared.shape[1:]))
    pooled = np.tensordot(weight, whole, 1)
    alike = np.sqrt(pooled) @ np.sqrt(pooled).T
    np.fill_diagonal(alike, -1)
    rival: Int[np.ndarray, " K"] = alike.argmax(1)
    return rival


class Copied(NamedTuple):
    """The two annotators whose residuals go together the most."""

    z: float
    limit: float
    correlation: float
    first: str
    second: str


def most_alike(space: Space, residual: Float[np.ndarray, " N"]) -> Copied | None:
    """Return the two annotators whose residuals go together the most, if any share."""
    if space.num_annotators > MOST:
        return None
    people = np.flatnonzero(space.identified[space.annotator])
    where = (space.annotator[people], space.unit[people])
    shape = (space.num_annotators, space.num_units)
    # A surprising answer counts, but one alone does not decide.
    table = csr_array(
        (np.clip(residual[people], -MOST_OF_ONE, MOST_OF_ONE), where), shape
    )
    counts = csr_array((np.ones(len(people)), where), shape)
    shared = np.triu((counts @ counts.T).toarray(), 1)
    together = (table @ table.T).toarray()
    looked = shared >= MIN_SHARED
    if not looked.any():
        return None
    correlation = together / np.maximum(shared, 1)
    z = np.where(looked, correlation * np.sqrt(shared), -np.inf)
    first, second = np.unravel_index(int(z.argmax()), z.shape)
    return Copied(
        float(z[first, second]),
        NormalDist().inv_cdf(1 - 0.01 / int(looked.sum())),
        float(correlation[first, second]),
        str(space.annotators[first]),
        str(space.annotators[second]),
    )
