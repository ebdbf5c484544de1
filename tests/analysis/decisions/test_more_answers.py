"""How many more answers a label needs: against a sum over all futures."""

import itertools

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.annotators.contains_states import MODEL
from consilience.inference.result import Result
from consilience.posterior import Fit
from consilience.posterior.tree import tree
from consilience.responses import read
from consilience.spaces import space_of

WORDS = ("no", "maybe", "yes")
PREVALENCE = np.array([0.7, 0.3])
CONFUSION = np.array([[0.8, 0.15, 0.05], [0.2, 0.2, 0.6]])
SURE, MOST = 0.9, 6


def fitted():
    """Pairs with a no, a maybe and a yes, of annotators that are alike and known."""
    rows = [(f"i{at}", "a", "cat", word) for at, word in enumerate(WORDS)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    space = space_of(read(frame, kind="contains"))
    values = {"prevalence": PREVALENCE, "confusion": CONFUSION[None]}
    draws = {name: value[None, None] for name, value in values.items()}
    belief = PREVALENCE * CONFUSION[:, space.answer].T
    belief /= belief.sum(1, keepdims=True)
    result = Result(draws, belief, belief, belief, None, {}, None)
    about = {"model": "contains_states", "kind": "contains", "prob": 0.9}
    about |= {"assumptions": [], "settings": {"prior": {"own": 4.0}}}
    return Fit(tree(space, result, MODEL.dims(space), about)), belief


def exact(now):
    """Expected answers and probability of being sure, over all sequences of answers."""
    expected, settled = 0.0, 0.0
    for sequence in itertools.product(range(3), repeat=MOST):
        chance = now @ np.prod(CONFUSION[:, sequence], 1)
        belief, used, done = now.copy(), 0, False
        for answer in sequence:
            done = max(belief) >= SURE
            if done:
                break
            belief = belief * CONFUSION[:, answer]
            belief /= belief.sum()
            used += 1
        settled += chance * (done or max(belief) >= SURE)
        expected += chance * used
    return expected, min(settled, 1.0)


def test_the_answers_expected_are_those_of_all_futures():
    fit, belief = fitted()
    futures = 2000
    table = cs.contains.more_answers(fit, SURE, max_answers=MOST, futures=futures)
    assert np.allclose(table["probability"], belief[:, 1])
    for row, now in zip(table.itertuples(), belief, strict=True):
        expected, settled = exact(now)
        assert abs(row.expected - expected) <= 4 * row.error
        spread = np.sqrt(settled * (1 - settled) / futures)
        assert abs(row.settled - settled) <= 4 * spread + 1e-9


def test_the_same_check_catches_another_degree_of_sureness():
    fit, belief = fitted()
    table = cs.contains.more_answers(fit, 0.99, max_answers=MOST, futures=2000)
    away = [
        abs(row.expected - exact(now)[0]) > 4 * row.error
        for row, now in zip(table.itertuples(), belief, strict=True)
    ]
    assert any(away)


@pytest.mark.parametrize(
    "model", ["contains_counts", pytest.param("contains", marks=pytest.mark.study)]
)
def test_scales_and_counts_can_be_asked(model):
    rows = [
        (f"i{at}", who, label, WORDS[(at + place) % 3])
        for at in range(16)
        for place, who in enumerate("abcd")
        for label in ("cat", "lynx")
        if at % 2 or (label == "cat") == (who in "ab")
    ]
    alike = pd.DataFrame({"label": ["cat"], "other_label": ["lynx"]})
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    fit = cs.fit(
        read(frame, kind="contains"),
        model=model,
        engine="em",
        similarity=alike if model == "contains" else None,
        effort=cs.EngineOptions(restarts=1, iterations=3, draws=0),
    )
    table = cs.contains.more_answers(fit, max_answers=5, futures=10)
    assert np.allclose(table["probability"], fit.labels()["probability"], atol=1e-5)
    assert table["expected"].between(0, 5).all()
    # Who is given up has used all answers.
    assert (table["expected"] >= 5 * (1 - table["settled"]) - 1e-9).all()
