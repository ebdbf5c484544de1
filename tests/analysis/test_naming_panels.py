"""Panels of more annotators: an urn with a known law, and shares that are recovered."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, dirichlet_multinomial

import consilience as cs
from consilience.analysis.human_confusion import human_confusion
from consilience.analysis.naming_panels import _as_rows, _drawn, _winner
from consilience.analysis.naming_prior import Naming
from consilience.analysis.namings import count_namings
from consilience.errors import OptionError

MANY, ITEMS, CLASSES = 9, 600, 12


def answered(own, item, label, number):
    ones = np.ones(len(item))
    return count_namings(
        own, item, label, ones, 0 * ones, parent=None, num_labels=number
    )


def test_answers_to_come_are_dirichlet_multinomial():
    # Every item has one answer, of label 0; all keep to the class with spread 2.
    items = 20_000
    theta = np.array([0.5, 0.3, 0.2])
    namings = answered(np.zeros(items, int), np.arange(items), np.zeros(items, int), 3)
    sure = np.full((3, 3), 1e-9)
    sure[0] = theta * 1e9  # the naming of the class is known
    naming = Naming(sure, {}, np.array([2.0, 2.0]), np.array([0.5, 0.5]), 0.0)
    votes = _drawn(naming, namings, _as_rows(namings), 4, np.random.default_rng(0))
    assert (votes[:, 0] == 0).all()
    code = (votes[:, 1:, None] == np.arange(3)).sum(1) @ [16, 4, 1]
    law = dirichlet_multinomial(2 * theta + [1, 0, 0], 3)
    for counts in ([3, 0, 0], [1, 1, 1], [0, 2, 1], [0, 0, 3]):
        hits = (code == np.dot(counts, [16, 4, 1])).sum()
        lower, upper = binom.interval(0.999, items, law.pmf(counts))
        assert lower <= hits <= upper, counts


def test_the_most_given_label_wins_and_the_first_on_a_tie():
    votes = np.array([[2, 1, 1, 2], [0, 1, 1, 1], [3, -1, -1, -1]])
    number = np.array([4, 2, 1])
    assert _winner(votes, number, 4)[:2].tolist() == [2, 1]
    assert _winner(votes, number, 1).tolist() == [2, 0, 3]  # who answered is on it


def drawn(seed, spread=2.0):
    """Draw nine answers about each item, whose classes differ in how clear they are."""
    generator = np.random.default_rng(seed)
    own = np.arange(ITEMS) % CLASSES
    other = generator.dirichlet(np.full(CLASSES, 0.3), CLASSES)
    clear = generator.beta(6, 4, CLASSES)[:, None]
    naming = clear * np.eye(CLASSES) + (1 - clear) * other
    share = np.stack(
        [generator.dirichlet(spread * naming[each] + 1e-9) for each in own]
    )
    ladder = np.cumsum(share, axis=1)
    steps = generator.random((ITEMS, MANY, 1))
    votes = np.minimum((steps > ladder[:, None]).sum(2), CLASSES - 1)
    return own, votes


def responses_of(own, votes):
    rows = pd.DataFrame(
        {
            "item": np.repeat([f"i{item}" for item in range(ITEMS)], votes.shape[1]),
            "label": [f"c{label}" for label in votes.ravel()],
        }
    )
    items = pd.DataFrame(
        {"item": rows["item"].unique(), "dataset_label": [f"c{each}" for each in own]}
    )
    labels = [f"c{each}" for each in range(CLASSES)]
    told = cs.read(rows, kind="choice", labels=labels)
    return replace(told, items=items)


def face_value(own, votes):
    every = np.full(ITEMS, votes.shape[1])
    return (_winner(votes, every, votes.shape[1]) != own).mean()


@pytest.fixture(scope="module")
def studies():
    found = []
    for seed in range(6):
        own, votes = drawn(seed)
        few = human_confusion(responses_of(own, votes[:, :3]))
        found.append((own, votes, few.panels([MANY], draws=100, seed=seed)))
    return found


def test_three_answers_foretell_what_nine_annotators_call_the_items(studies):
    truth = [face_value(own, votes) for own, votes, _ in studies]
    inside = [
        told["lower"].item() <= share <= told["upper"].item()
        for share, (*_, told) in zip(truth, studies, strict=True)
    ]
    # Intervals of 90 %: three of six or fewer would hold once in sixty times.
    assert sum(inside) > 3


def test_three_answers_at_face_value_say_too_much(studies):
    truth = np.array([face_value(own, votes) for own, votes, _ in studies])
    plain = np.array([face_value(own, votes[:, :3]) for own, votes, _ in studies])
    told = np.array([told["share"].item() for *_, told in studies])
    assert (plain > truth).all()  # by chance alone, once in sixty times
    assert abs((told - truth).mean()) < (plain - truth).mean() / 2


def test_a_panel_of_those_who_answered_is_certain():
    own, votes = drawn(0)
    found = human_confusion(responses_of(own, votes)).panels([MANY], draws=3)
    expected = face_value(own, votes)
    # Answers are counted, so the order of a tie is not that of the answers.
    ties = np.mean(
        [np.ptp(np.sort(np.bincount(row, minlength=2))[-2:]) == 0 for row in votes]
    )
    assert abs(found["share"].item() - expected) <= ties
    assert found["lower"].item() == found["upper"].item()
    with pytest.raises(OptionError, match="one annotator at least"):
        human_confusion(responses_of(own, votes)).panels([])
