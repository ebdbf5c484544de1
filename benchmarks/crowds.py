"""Simulated crowds that are drawn from none of the models, with their exact posteriors.

What annotators see of an item beside its label (how hard it is, which wrong label
tempts) is one of a few kinds of item. So confusions averaged over items, and the
posterior of the truth by someone who knows the annotators, are sums.
"""

from dataclasses import dataclass
from typing import Any

ITEMS, PEOPLE, PER_ITEM = 200, 25, 6
PREVALENCE = (0.26, 0.24, 0.2, 0.16, 0.14)
# Which labels are taken for which, and how often by a typical annotator.
TAKEN_FOR = (
    (0.0, 0.7, 0.15, 0.1, 0.05),
    (0.65, 0.0, 0.2, 0.1, 0.05),
    (0.3, 0.3, 0.0, 0.1, 0.3),
    (0.35, 0.35, 0.2, 0.0, 0.1),
    (0.15, 0.15, 0.55, 0.15, 0.0),
)
MISTAKES = (0.42, 0.44, 0.36, 0.3, 0.24)
HARDNESS = (-1.6, -0.8, 0.0, 0.8, 1.6)  # in logits, and how often
HARDNESS_SHARE = (0.1, 0.24, 0.32, 0.24, 0.1)


@dataclass(frozen=True)
class Crowd:
    """Answers of a simulated crowd.

    Attributes
    ----------
    frame
        Columns item, annotator and label.
    truth
        Place of the true label of each item.
    prevalence
        Of each label.
    confusion
        Of each annotator, averaged over kinds of items.
    oracle
        Posterior of the truth by who knows annotators and kinds of items; None where
        answers depend on each other.
    """

    frame: Any
    truth: Any
    prevalence: Any
    confusion: Any
    oracle: Any


def rows(seed):
    """Each confusion row drawn for itself."""
    import numpy as np

    generator = np.random.default_rng([1, seed])
    typical = np.diag(1 - np.array(MISTAKES))
    typical += np.array(MISTAKES)[:, None] * np.array(TAKEN_FOR)
    table = np.stack(
        [generator.dirichlet(5 * row + 1e-3, PEOPLE) for row in typical], axis=1
    )
    return _crowd(generator, table[:, :, None], np.ones((len(typical), 1)))


def skill(seed):
    """One skill of an annotator for all rows."""
    import numpy as np

    generator = np.random.default_rng([2, seed])
    table = _able(generator, generator.normal(0, 0.8, PEOPLE))
    return _crowd(generator, table[:, :, None], np.ones((table.shape[1], 1)))


def hard_items(seed):
    """Items of different difficulty, tempting wrong labels, and five spammers."""
    import numpy as np

    generator = np.random.default_rng([3, seed])
    skills = generator.normal(0, 0.8, PEOPLE)
    states = len(PREVALENCE)
    by_kind, share = [], []
    for hard, weight in zip(HARDNESS, HARDNESS_SHARE, strict=True):
        table = _able(np.random.default_rng([4, seed]), skills - hard)
        for tempting in range(states):
            pulled = table.copy()
            for k in range(states):
                if tempting != k:
                    right = table[:, k, k]
                    pulled[:, k] *= 0.5
                    pulled[:, k, tempting] += 0.5 * (1 - right)
                    pulled[:, k, k] = right
            by_kind.append(pulled)
            share.append(weight * np.array(TAKEN_FOR)[:, tempting])
    table = np.stack(by_kind, axis=2)
    spammers = generator.choice(PEOPLE, 5, replace=False)
    table[spammers] = generator.dirichlet(np.full(states, 0.7), 5)[:, None, None]
    return _crowd(generator, table, np.stack(share, axis=1))


def ratings(seed):
    """Ordered labels: rounded numbers, with a bias and a precision of the rater."""
    import numpy as np
    from scipy.stats import norm

    generator = np.random.default_rng([5, seed])
    states = len(PREVALENCE)
    bias = generator.normal(0, 0.6, PEOPLE)[:, None, None, None]
    noise = np.exp(generator.normal(-0.1, 0.4, PEOPLE))[:, None, None, None]
    kinds = np.array([0.6, 1.0, 1.7])[None, None, :, None]
    place = np.arange(states)[None, :, None, None]
    bound = np.array([-np.inf, *(np.arange(states - 1) + 0.5), np.inf])
    below = norm.cdf((bound - place - bias) / (noise * kinds))
    table = 0.95 * np.diff(below, axis=3) + 0.05 / states
    return _crowd(generator, table, np.tile([0.3, 0.4, 0.3], (states, 1)))


def novices(seed):
    """Some experts, and novices who take what is rare for what is common."""
    import numpy as np

    generator = np.random.default_rng([6, seed])
    expert = generator.random(PEOPLE) < 0.3
    skills = np.where(
        expert, generator.normal(1.6, 0.3, PEOPLE), generator.normal(-0.7, 0.4, PEOPLE)
    )
    table = _able(generator, skills)
    common = np.array([0.5, 0.3, 0.1, 0.05, 0.05])
    lazy = np.where(expert, 0.0, generator.beta(2, 5, PEOPLE))[:, None, None]
    table = (1 - lazy) * table + lazy * common
    return _crowd(generator, table[:, :, None], np.ones((table.shape[1], 1)))


def copies(seed):
    """A third of the annotators often copy one of the others."""
    import numpy as np

    generator = np.random.default_rng([7, seed])
    table = _able(generator, generator.normal(0, 0.8, PEOPLE))
    crowd = _crowd(generator, table[:, :, None], np.ones((table.shape[1], 1)))
    copyist = np.flatnonzero(generator.random(PEOPLE) < 1 / 3)
    who = crowd.frame["annotator"].str[1:].astype(int).to_numpy()
    who = who.reshape(ITEMS, PER_ITEM)
    answer = crowd.frame["label"].to_numpy().reshape(ITEMS, PER_ITEM).copy()
    copied = np.isin(who, copyist) & (generator.random(who.shape) < 0.6)
    source = generator.integers(0, PER_ITEM, who.shape)
    answer = np.where(copied, np.take_along_axis(answer, source, 1), answer)
    frame = crowd.frame.assign(label=answer.ravel())
    # Who copies is right as often as the others: the mean of all confusions.
    confusion = crowd.confusion.copy()
    mean = confusion.mean(0)
    confusion[copyist] = 0.4 * confusion[copyist] + 0.6 * (
        confusion[copyist] / PER_ITEM + mean * (1 - 1 / PER_ITEM)
    )
    return Crowd(frame, crowd.truth, crowd.prevalence, confusion, None)


KINDS = {
    "independent rows": rows,
    "skill": skill,
    "hard items, spammers": hard_items,
    "ratings": ratings,
    "experts and novices": novices,
    "copied answers": copies,
}


def _able(generator, skills):
    """Return confusions of annotators with one skill for all rows (J, K, K)."""
    import numpy as np
    from scipy.special import expit

    mistakes, taken_for = np.array(MISTAKES), np.array(TAKEN_FOR)
    states = len(mistakes)
    own = generator.normal(0, 0.4, (PEOPLE, states))
    right = expit(np.log((1 - mistakes) / mistakes) + 0.4 + skills[:, None] + own)
    wrong = np.stack(
        [generator.dirichlet(8 * row + 1e-6, PEOPLE) for row in taken_for], axis=1
    )
    wrong[:, range(states), range(states)] = 0
    wrong /= wrong.sum(2, keepdims=True)
    table = (1 - right)[:, :, None] * wrong
    table[:, range(states), range(states)] = right
    return table


def _crowd(generator, table, share):
    """Draw answers from tables of each kind of item (J, K, C, K)."""
    import numpy as np
    import pandas as pd

    prevalence, states = np.array(PREVALENCE), len(PREVALENCE)
    truth = generator.choice(states, ITEMS, p=prevalence)
    kind = np.array(
        [generator.choice(share.shape[1], p=share[k] / share[k].sum()) for k in truth]
    )
    who = generator.random((ITEMS, PEOPLE)).argsort(1)[:, :PER_ITEM]
    chance = table[who, truth[:, None], kind[:, None]]
    point = generator.random((ITEMS, PER_ITEM, 1))
    answer = np.minimum((chance.cumsum(2) < point).sum(2), states - 1)
    share = share / share.sum(1, keepdims=True)
    # p(answers of the item | label, kind of item), then summed over kinds.
    given = np.prod(np.moveaxis(table, 3, 1)[who, answer], axis=1)
    joint = prevalence * (given * share).sum(2)
    frame = pd.DataFrame(
        {
            "item": [f"i{item:03d}" for item in np.arange(ITEMS).repeat(PER_ITEM)],
            "annotator": [f"a{person:02d}" for person in who.ravel()],
            "label": [f"c{label}" for label in answer.ravel()],
        }
    )
    confusion = (table * share[:, :, None]).sum(2)
    oracle = joint / joint.sum(1, keepdims=True)
    return Crowd(frame, truth, prevalence, confusion, oracle)
