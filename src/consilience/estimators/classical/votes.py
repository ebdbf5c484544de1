"""Votes weighted by skills, and skills by agreement with what the votes say.

**Skills by completing a matrix of rank one, robustly.** Of two annotators who err
independently, the covariance of being right is the product of their skills. Skills are
alternately set to the mean of what each entry says, the largest and smallest entries
left out.

**Messages between items and annotators, of two labels.**

References
----------
Ma and Olshevsky (2020), Adversarial crowdsourcing through robust rank-one matrix
completion.
Karger, Oh and Shah (2014), Budget-optimal task allocation for reliable crowdsourcing
systems, section 2.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh

from consilience.estimators.columns import Answers

type Square = Float[np.ndarray, "J J"]


def weighted_votes(
    answers: Answers, weight: Float[np.ndarray, " N"] | None = None
) -> Float[np.ndarray, "I K"]:
    """Return the sum of the weights of the votes for each label of each item."""
    shape = len(answers.item.values), len(answers.label.values)
    place = answers.item.codes * shape[1] + answers.label.codes
    votes = np.bincount(place, weight, shape[0] * shape[1])
    table: Float[np.ndarray, "I K"] = votes.reshape(shape).astype(float)
    return table


def vote_shares(scores: Float[np.ndarray, "I K"]) -> Float[np.ndarray, "I K"]:
    """Return votes divided by their sum over the labels; all alike if it is zero."""
    total = scores.sum(1, keepdims=True)
    alike = np.full_like(scores, 1 / max(scores.shape[1], 1))
    shares: Float[np.ndarray, "I K"] = np.divide(
        scores, total, out=alike, where=total != 0
    )
    return shares


def agreement_with(
    answers: Answers,
    right: Bool[np.ndarray, " N"],
    counted: Bool[np.ndarray, " N"] | None = None,
) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that are right; NaN without any.

    An answer that is given twice counts once.
    """
    people = len(answers.annotator.values)
    code = [answers.item.codes, answers.annotator.codes, answers.label.codes]
    once = np.zeros(answers.number, bool)
    once[np.unique(np.stack(code, 1), axis=0, return_index=True)[1]] = True
    if counted is not None:
        once &= counted
    who = answers.annotator.codes[once]
    total = np.bincount(who, minlength=people)
    agreed = np.bincount(who, right[once], people)
    none = np.full(people, np.nan)
    share: Float[np.ndarray, " J"] = np.divide(agreed, total, out=none, where=total > 0)
    return share


def agreement_with_votes(
    answers: Answers, scores: Float[np.ndarray, "I K"]
) -> Float[np.ndarray, " J"]:
    """Return the share of each annotator's answers that got most votes."""
    best = scores.argmax(1)
    return agreement_with(answers, best[answers.item.codes] == answers.label.codes)


def right_by_gold(
    answers: Answers, gold: Int[np.ndarray, "G 2"]
) -> tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Return which answers are right by known labels, and which these judge."""
    true = np.zeros((len(answers.item.values), len(answers.label.values)), bool)
    true[gold[:, 0], gold[:, 1]] = True
    item = answers.item.codes
    return true[item, answers.label.codes], true.any(1)[item]


def zero_based_skill(
    answers: Answers, rates: Float[np.ndarray, " n_iter"], start: float
) -> Float[np.ndarray, " J"]:
    """Return skills that follow the agreement with the votes that they weigh."""
    skill = np.full(len(answers.annotator.values), start)
    for rate in rates:
        scores = weighted_votes(answers, skill[answers.annotator.codes])
        skill = skill + rate * (agreement_with_votes(answers, scores) - skill)
    return skill


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


def message_passing(
    answers: Answers,
    sign: Int[np.ndarray, " N"],
    n_iter: int,
    generator: np.random.RandomState,
) -> Float[np.ndarray, " I"]:
    """Return how far each item is of the label with sign one.

    Messages are divided by the largest after each iteration, which changes no sign and
    keeps them finite.
    """
    item, who = answers.item.codes, answers.annotator.codes
    reliable = generator.normal(1.0, 1.0, answers.number)
    for _ in range(n_iter):
        inferred = _from_others(item, sign * reliable)
        reliable = _from_others(who, sign * inferred)
        largest = np.abs(reliable).max(initial=0.0)
        reliable = reliable / largest if largest > 0 else reliable
    items = len(answers.item.values)
    return np.bincount(item, sign * reliable, items)


def _from_others(
    code: Int[np.ndarray, " N"], message: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return the sum of the messages of the same code, without one's own."""
    sums: Float[np.ndarray, " N"] = np.bincount(code, message)[code] - message
    return sums
