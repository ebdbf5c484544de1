"""Two models by halves: labels, covariates, meanings, and intervals that hold."""

import numpy as np
import pandas as pd
from benchmarks import contains_crowds
from scipy.special import expit, logit

import consilience as cs
from consilience.fitting import halves
from consilience.posterior.leave_one_out import given_two_states
from consilience.presence.space import shares_by_meaning
from consilience.responses import read
from consilience.spaces import space_of


def learned(labels, probability, columns=None):
    """P(present) that two models believe, with what is known of pairs beside it."""
    rows = [(f"i{k}", "a", label, "yes") for k, label in enumerate(labels)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    lists = frame[["item", "label"]].assign(score=columns)
    space = space_of(
        read(frame, kind="contains"), lists=None if columns is None else lists
    )
    order = pd.Index(space.unit_item).get_indexer([f"i{k}" for k in range(len(labels))])
    given = np.empty(len(labels))
    given[order] = probability
    added = halves._learned(space, given)
    return added, expit(logit(given) + added.moved(space))[order]


def test_a_label_has_a_prevalence_of_its_own_and_one_label_has_none():
    probability = [0.9, 0.8, 0.9, 0.5, 0.1, 0.2, 0.1, 0.5]
    _, ours = learned([*"ccccdddd"], probability)
    assert ours[3] > 0.55
    assert ours[7] < 0.45
    _, alone = learned([*"cccccccc"], probability)
    assert np.allclose(alone, probability)


def test_covariates_of_pairs_have_weights_that_are_learned():
    generator = np.random.default_rng(0)
    score = generator.normal(size=400)
    present = generator.random(400) < 1 / (1 + np.exp(-2 * score))
    given = np.where(present, 0.9, 0.1)
    for columns, low, high in (
        (score, 0.5, 4.0),
        (generator.permutation(score), -0.3, 0.3),
    ):
        added, _ = learned(["c"] * 400, given, columns.astype(str))
        assert low < added.weight[1] < high
        assert added.error[1] < 0.3


def test_meanings_of_tables_are_shares_of_panels_by_hand():
    # Of labels that are there one half says maybe and one half yes, of others nobody.
    answers = np.array([[[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])
    prevalence = np.array([[0.6, 0.4]])
    shares = shares_by_meaning(answers, prevalence, np.array([0.0, 1.0]), 0.3)
    # At least three of six: all; of 3/4, 1 - (1 + 18 + 135) / 4096; of 1/2, 42 / 64.
    expected = [0.3, np.nan, np.nan, 0.4, 0.4 * (1 - 154 / 4096), 0.4 * 42 / 64]
    np.testing.assert_allclose(shares[0], expected)


def test_an_answer_is_predicted_from_the_others_by_hand():
    rows = [("i", "a", "cat", "yes"), ("i", "b", "cat", "no")]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    space = space_of(read(frame, kind="contains"))
    a, b = [[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]], [[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]]
    # P(present) is .5 before: after a yes of a and a no of b 6 x 5 to 1 x 8.
    believed = np.array([[8 / 38, 30 / 38]])
    scores = given_two_states(space, believed, np.array([a, b]))
    # Without the yes of a it is 5/13, without the no of b 6/7.
    expected = [8 / 13 * 0.1 + 5 / 13 * 0.6, 1 / 7 * 0.8 + 6 / 7 * 0.5]
    np.testing.assert_allclose(np.exp(scores), expected)


KINDS = ("common labels", "experts among twenty", "one label is there")


def share_held():
    """Share of intervals of sensitivity and specificity that hold, and the number."""
    held = []
    for kind in KINDS:
        crowd = contains_crowds.KINDS[kind](0)
        people = cs.fit(read(crowd.frame, kind="contains")).annotators()
        true = crowd.confusion[[int(name[1:]) for name in people["annotator"]]]
        for name, value in (
            ("sensitivity", true[:, 1, 2]),
            ("specificity", true[:, 0, 0]),
        ):
            low, high = (people[f"{name}_{end}"] for end in ("lower", "upper"))
            held.append(((low <= value) & (value <= high)).to_numpy())
    every = np.concatenate(held)
    return every.mean(), 2 * np.sqrt(0.9 * 0.1 / len(every))


def test_nine_tenths_intervals_of_annotators_hold_on_data_that_no_model_draws():
    held, error = share_held()
    assert held > 0.9 - error


def test_without_a_common_move_of_all_pairs_they_do_not(monkeypatch):
    monkeypatch.setattr(halves, "OFF", 0.0)
    held, error = share_held()
    assert held < 0.9 - error
