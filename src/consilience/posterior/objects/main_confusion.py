r"""Confusion of main labels, given the one that most would give (kind objects).

Each answer counts towards a true main label by the probability that the fit gives it,
so that the answers about items of true label k are :math:`n_k` and those that give l
are :math:`c_{kl}`. The population's chance is :math:`c_{kl} / n_k`, with the bounds of
a Beta distribution with these counts and one answer more. An annotator's is drawn
towards it, as closely as annotators are found to keep to it
(`consilience.posterior.results.shrinkage`). What is unknown of the truth is in the
counts, not in the bounds.

References
----------
Dawid and Skene (1979), section 2, for counts weighed by the truth.
"""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import betaincinv

from consilience.posterior.results.frames import category, confusion_frame
from consilience.posterior.results.shrinkage import accuracy_table, individual_cells
from consilience.ragged import places_within
from consilience.truth.named import Named, label_groups
from consilience.truth.space import ObjectsSpace

_EDGE = 1e-9  # counts


def main_confusion(
    space: ObjectsSpace,
    named: Named,
    main: Float[np.ndarray, "U C"],
    prob: float,
    level: int = 0,
) -> pd.DataFrame:
    """Return P(main label given | true main label) of the population and of each."""
    parents = dict(zip(named.labels, named.parents, strict=True))
    group, names = label_groups(pd.Index(named.labels), parents, level)
    of_candidate, labels = group[named.candidate], len(names)
    unit, true = np.nonzero(main > _EDGE)
    chance = main[unit, true]
    # Answers of each item stand one behind the other, next to each of its true labels.
    order = np.argsort(space.unit, kind="stable")
    start = np.searchsorted(space.unit[order], np.arange(len(main) + 1))
    number = np.diff(start)[unit]
    cell = np.repeat(np.arange(len(unit)), number)
    within = places_within(number)
    answer = order[start[unit[cell]] + within]
    pair = of_candidate[unit, true][cell] * labels
    pair += of_candidate[unit[cell], named.main[answer]]
    count = chance[cell] * space.n[answer]
    pairs, place = np.unique(pair, return_inverse=True)
    total = np.bincount(place, count, len(pairs))
    of_true, given = np.divmod(pairs, labels)
    true_total = np.bincount(of_true, total, labels)
    everyone = total / true_total[of_true]
    low, high = _bounds(total + everyone, true_total[of_true] + 1, prob)
    parts = [(np.full(len(pairs), -1), np.arange(len(pairs)), everyone, low, high)]
    theirs = space.identified[space.annotator[answer]]
    who = space.annotator[answer][theirs].astype(np.int64)
    answers = (who, pair[theirs], count[theirs])
    square = _square(total + everyone, true_total[of_true] + 1)
    parts.append(individual_cells(answers, pairs, (everyone, square), labels, prob))
    owner, which, value, low, high = (
        np.concatenate(arrays) for arrays in zip(*parts, strict=True)
    )
    return confusion_frame(
        {"annotator": category(owner, space.annotators)},
        (of_true[which], given[which]),
        (names, names),
        (value, np.minimum(low, value), np.maximum(high, value)),
    )


def main_accuracy(
    space: ObjectsSpace, named: Named, main: Float[np.ndarray, "U C"], prob: float
) -> pd.DataFrame:
    """Return how often each annotator with an id gives the label that most would."""
    right = main[space.unit, named.main] * space.n
    people = np.flatnonzero(space.identified)
    hits, answers = (
        np.bincount(space.annotator, weight, space.num_annotators)
        for weight in (right, space.n)
    )
    everyone = hits.sum() / answers.sum()
    square = float(_square(hits.sum() + everyone, answers.sum() + 1))
    return accuracy_table(
        people, space.annotators, hits, answers, (everyone, square), prob
    )


def _square(part: Any, whole: Any) -> Any:
    """Return the mean square of a Beta distribution with such counts."""
    return part * (part + 1) / (whole * (whole + 1))


def _bounds(
    part: Float[np.ndarray, " N"], whole: Float[np.ndarray, " N"], prob: float
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    tail = (1 - prob) / 2
    here, elsewhere = np.maximum(part, _EDGE), np.maximum(whole - part, _EDGE)
    return betaincinv(here, elsewhere, tail), betaincinv(here, elsewhere, 1 - tail)
