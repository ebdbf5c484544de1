"""Skills by completing a matrix of rank one, robustly.

Of two annotators who err independently, the covariance of being right is the product
of their skills. Skills are alternately set to the mean of what each entry says, the
largest and smallest entries left out.

References
----------
Ma and Olshevsky (2020), Adversarial crowdsourcing through robust rank-one matrix
completion.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh

from consilience.estimators.columns import Answers

type Square = Float[np.ndarray, "J J"]


def covariance(answers: Answers) -> tuple[Square, Bool[np.ndarray, "J J"]]:
    """Return the covariance of annotators, and of which pairs it was observed."""
    items, people = len(answers.item.values), len(answers.annotator.values)
    labels = len(answers.label.values)
    given = np.full((people, items), -1)
    given[answers.annotator.codes, answers.item.codes] = answers.label.codes
    who, item = np.nonzero(given >= 0)
    ones = np.ones(len(who))
    asked = csr_array((ones, (who, item)), shape=(people, items))
    place = item * labels + given[who, item]
    answered = csr_array((ones, (who, place)), shape=(people, items * labels))
    common, agreed = (each @ each.T for each in (asked, answered))
    common, agreed = common.toarray(), agreed.toarray()
    np.fill_diagonal(common, 0)
    share = np.divide(agreed, common, out=np.zeros_like(agreed), where=common > 0)
    other = max(labels - 1, 1)
    return share * labels / other - 1 / other, common > 0


def rank_one(
    covariances: Square,
    observed: Bool[np.ndarray, "J J"],
    *,
    items: int,
    n_iter: int,
    tol: float,
    seed: int | None,
) -> tuple[Float[np.ndarray, " J"], list[float]]:
    """Return the skills whose products are nearest to the covariances."""
    people = len(covariances)
    size, lowest = np.abs(covariances), 1 / np.sqrt(items)
    trimmed = max(int(observed.sum(0).min(initial=people)) // 2 - 1, 0)
    left, right = (np.random.RandomState(seed).uniform(size=people) for _ in range(2))
    history: list[float] = []
    for _ in range(n_iter):
        before = np.outer(left, right)
        right = _means(size, observed, left, right, trimmed, lowest)
        left = _means(size.T, observed.T, right, left, trimmed, lowest)
        history.append(float(np.linalg.norm(np.outer(left, right) - before)))
        if history[-1] < tol:
            break
    skill = left / np.sqrt(np.linalg.norm(left) / np.linalg.norm(right))
    return skill * _signs(covariances, observed), history


def _means(
    size: Square,
    observed: Bool[np.ndarray, "J J"],
    other: Float[np.ndarray, " J"],
    now: Float[np.ndarray, " J"],
    trimmed: int,
    lowest: float,
) -> Float[np.ndarray, " J"]:
    """Return the mean of what the entries of each column say, without the extremes.

    Of those below where it stands now, and of those above, as many are left out.
    """
    says = observed & (other != 0)[:, None]
    ratio = np.divide(size, other[:, None], out=np.full(size.shape, np.nan), where=says)
    rows = np.sort(ratio, axis=0)  # what was not observed stands last
    first = np.minimum((ratio < now).sum(0), trimmed)
    last = says.sum(0) - np.minimum((ratio > now).sum(0), trimmed)
    place = np.arange(len(rows))[:, None]
    kept = (place >= first) & (place < last)
    number = kept.sum(0)
    total = np.where(kept, rows, 0.0).sum(0)
    mean = np.divide(total, number, out=now.copy(), where=number > 0)
    return np.where((number == 1) & (mean == 0), lowest, mean)


def _signs(
    covariances: Square, observed: Bool[np.ndarray, "J J"]
) -> Float[np.ndarray, " J"]:
    """Return who is better than chance, most of them: signs that explain the pairs.

    Pairs with a negative covariance are on different sides. A positive one is a path of
    two edges, through a node of its own; so the two sides are those of a bipartite
    graph, which the last eigenvector of its random walk tells.
    """
    people = len(covariances)
    there = observed | np.eye(people, dtype=bool)
    first, second = np.nonzero(np.triu((covariances > 0) & there))
    apart, opposite = np.nonzero((covariances < 0) & there)
    between = people + np.arange(len(first))
    rows = np.concatenate([first, second, between, between, apart])
    columns = np.concatenate([between, between, first, second, opposite])
    nodes = people + len(between)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes))
    degree = np.maximum(graph.sum(1), 1)
    scale = csr_array(
        (degree**-0.5, (np.arange(nodes), np.arange(nodes))), shape=(nodes, nodes)
    )
    walk = scale @ graph @ scale
    if nodes <= 500:
        vector = np.linalg.eigh(walk.toarray())[1][:, 0]
    else:
        vector = eigsh(walk, 1, which="SA", v0=np.ones(nodes))[1][:, 0]
    sign = np.sign(vector[:people])
    return sign if sign.sum() >= 0 else -sign
