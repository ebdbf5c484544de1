"""The probability that a response names a label that no other response names."""

import numpy as np
from jaxtyping import Float

from consilience.fitting.objects.contexts import Contexts
from consilience.objects.layout.pooling import Pool, class_codes
from consilience.truth import ObjectsSpace

MIN_PROBABILITY = 1e-3  # of the probability of something else


def probability_of_new_label(
    training: Contexts, test: Contexts, counts: Pool
) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Return how probable a new label is, anywhere and as the main one.

    A logistic regression on the answers given: how many answers, candidates, labels
    that one answer alone names, and how much of its class's votes the candidates leave
    out.
    """
    # Every fit would pay for it: a second, of some five for all other imports.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    before, now = _features(training.space, counts), _features(test.space, counts)
    probabilities = []
    for truth in (training.new_label, training.new_main):
        if truth.all() or not truth.any():
            probabilities.append(
                np.full(
                    len(now),
                    np.clip(truth.mean(), MIN_PROBABILITY, 1 - MIN_PROBABILITY),
                )
            )
            continue
        model = LogisticRegression(C=1.0, max_iter=1000)
        model.fit(before, truth, sample_weight=training.n)
        chance = model.predict_proba(now)[:, 1]
        probabilities.append(np.clip(chance, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    return probabilities[0], probabilities[1]


def _features(space: ObjectsSpace, counts: Pool) -> Float[np.ndarray, "C F"]:
    named = space.named
    shape = named.candidate.shape
    slots = np.arange(shape[1])
    bits = ((named.mask[:, None] >> slots) & 1) * space.n[:, None]
    votes = np.stack(
        [np.bincount(space.unit, column, shape[0]) for column in bits.T], axis=1
    )
    mains = np.zeros(shape)
    np.add.at(mains, (space.unit, named.main), space.n)
    number = np.bincount(space.unit, space.n, shape[0])
    codes = class_codes(named)
    has = named.dataset_label >= 0
    listed = np.where(has, counts.share.at(codes).sum(1), 0)
    whole = np.where(has, counts.items.at(named.dataset_label), 0)
    missing = np.maximum(whole - listed, 0)
    share = (missing + 0.1) / (whole + 1)
    rate = votes.sum(1) / np.maximum(number, 1)
    return np.stack(
        [
            np.log1p(number),
            np.log((votes == 1).sum(1) + 0.5),
            np.log((mains == 1).sum(1) + 0.5),
            np.log(named.size),
            rate,
            np.log(share),
            mains.max(1) / np.maximum(number, 1),
        ],
        axis=1,
    )
