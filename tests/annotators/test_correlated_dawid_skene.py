"""Rows that go together in an annotator: by hand, and in draws from the prior."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpyro.handlers import seed, substitute
from scipy.special import softmax

from consilience.annotators import load
from consilience.model import DIFFICULTY, NODES, PREVALENCE, TYPICAL, normal_nodes
from consilience.model.in_numpyro import InNumPyro
from consilience.model.language import run_by

PEOPLE = 4_000


def coding(labels, people=1):
    return SimpleNamespace(
        group=np.zeros(people, int),
        num_groups=1,
        num_annotators=people,
        num_states=labels,
        num_answers=labels,
        votes=np.eye(labels),
    )


def drawn_confusions(skill, habit):
    """Return confusions of many annotators whose spreads are known."""
    model, spread = load("correlated_dawid_skene"), np.full((1, 3), 0.3)
    scales = {"skill_spread": np.array([skill]), "habit_spread": np.array([habit])}
    scales["spread"] = spread
    with jax.enable_x64(True):
        words = InNumPyro(coding(3, PEOPLE))
        with seed(rng_seed=3), substitute(data=scales), run_by(words):
            model.program(words.data, model.prior)
        return np.asarray(words.reported[TYPICAL]())


def test_an_easy_item_raises_the_odds_of_the_right_answer_alone():
    model = load("correlated_dawid_skene")
    typical = np.array([[[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.25, 0.25, 0.5]]])
    logs = {PREVALENCE: np.log(np.full(3, 1 / 3)), TYPICAL: np.log(typical)}
    tables = model.given(coding(3), {**logs, DIFFICULTY: 0.5})
    node, log_share = normal_nodes(NODES)
    assert np.allclose(tables.log_share, log_share)
    for place, ease in enumerate(node):
        table = np.exp(tables.log_table[0, :, place])
        expected = softmax(np.log(typical[0]) + 0.5 * ease * np.eye(3), axis=1)
        assert np.allclose(table, expected)
    # Worked by hand: .6 exp(.5 * 2.01) to .4 at the last of five nodes.
    highest = np.exp(tables.log_table[0, 0, -1, 0])
    raised = 0.6 * np.exp(0.5 * 0.9 * np.sqrt(5))
    assert highest == pytest.approx(raised / (raised + 0.4))


@pytest.mark.parametrize(("skill", "together"), [(1.0, True), (0.0, False)])
def test_whoever_is_good_at_one_label_is_good_at_another_by_skill(skill, together):
    right = np.einsum("jkk->jk", drawn_confusions(skill, habit=0.0))
    correlation = np.corrcoef(right.T)[0, 1]
    # Of independent rows it is within four standard errors of zero.
    assert (correlation > 4 / np.sqrt(PEOPLE)) == together


def test_a_habit_favours_one_answer_whatever_is_true():
    confusion = drawn_confusions(skill=0.0, habit=1.0)
    # The share of a wrong answer in two rows in which it is wrong.
    correlation = np.corrcoef(confusion[:, 0, 2], confusion[:, 1, 2])[0, 1]
    assert correlation > 0.5
