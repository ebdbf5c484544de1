"""Scores from comparisons are crowd-kit's, and those that comparisons were drawn from.

The constants are what crowd-kit 1.4.2 gives of the same 240 comparisons:

    BradleyTerry(n_iter=n, tol=0).fit_predict(data)

for n of 1, 2 and 1000 (with another `tol` it stops at 2), and the minimum of

    NoisyBradleyTerry._compute_log_likelihood(x, ..., regularization_ratio=-0.1)

with x[0] = 0, by SciPy's BFGS and Nelder-Mead without a gradient: crowd-kit's own
gradient is not that of its function, whose penalty has the wrong sign.
"""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import expit

import consilience as cs
from consilience.errors import ColumnError, ConsilienceWarning, DataError
from consilience.sklearn.pairwise import noisy_loss

BOTH = cs.sklearn.BradleyTerry, cs.sklearn.NoisyBradleyTerry
# How often of twenty times worker p or q chose the left of two items.
LEFT_WON = {
    "p": {"ab": 14, "bc": 13, "ac": 16, "ba": 5, "cb": 6, "ca": 3},
    "q": {"ab": 15, "bc": 16, "ac": 17, "ba": 10, "cb": 9, "ca": 8},
}
SCORES = {
    1: [0.483333333, 0.333333333, 0.183333333],
    2: [0.527587037, 0.31370962, 0.158703343],
    1000: [0.561466063, 0.289383586, 0.14915035],
}
NOISY = {
    "scores_": {"a": 0.745833, "b": 0.495467, "c": 0.2587},
    "biases_": {"p": 0.357131, "q": 0.802288},
    "skills_": {"p": 0.824958, "q": 0.586938},
}


def table(rows):
    return pd.DataFrame(rows, columns=["worker", "left", "right", "label"])


@pytest.fixture(scope="module")
def data():
    return table(
        [
            (worker, *pair, pair[0] if n < won else pair[1])
            for worker, times in LEFT_WON.items()
            for pair, won in times.items()
            for n in range(20)
        ]
    )


def drawn(score, skill, bias, number, seed):
    """Return comparisons of items of these log-odds by workers of skill and bias."""
    generator = np.random.default_rng(seed)
    worker = generator.integers(len(skill), size=number)
    left = generator.integers(len(score), size=number)
    right = (left + generator.integers(1, len(score), size=number)) % len(score)
    compares = generator.random(number) < skill[worker]
    chance = np.where(compares, expit(score[left] - score[right]), bias[worker])
    label = np.where(generator.random(number) < chance, left, right)
    return table(zip(worker, left, right, label, strict=True))


@pytest.mark.parametrize(("n_iter", "scores"), SCORES.items())
def test_scores_are_those_of_crowd_kit_after_each_iteration(data, n_iter, scores):
    fitted = cs.sklearn.BradleyTerry(n_iter, tol=0.0).fit(data)
    assert np.allclose(fitted.scores_, scores, atol=1e-8)
    assert fitted.scores_.name == "agg_score"
    assert list(fitted.scores_.index) == ["a", "b", "c"]
    assert len(fitted.loss_history_) == n_iter


def test_iterations_end_where_scores_move_less_than_the_tolerance(data):
    fitted = cs.sklearn.BradleyTerry().fit(data.drop(columns="worker"))
    assert fitted.loss_history_[-1] < 1e-5 <= fitted.loss_history_[-2]
    assert np.allclose(fitted.scores_, SCORES[1000], atol=1e-5)


def test_noisy_scores_skills_and_biases_are_at_the_optimum_of_crowd_kit(data):
    fitted = cs.sklearn.NoisyBradleyTerry(5000, 1e-15, 0.1).fit(data)
    for name, expected in NOISY.items():
        assert getattr(fitted, name).to_dict() == pytest.approx(expected, abs=2e-6)
    assert (fitted.skills_.name, fitted.biases_.name) == ("skill", "bias")
    # Twin: another penalty, another optimum.
    other = cs.sklearn.NoisyBradleyTerry(5000, 1e-15).fit(data)
    assert np.abs(other.scores_ - fitted.scores_).max() > 0.01


def test_the_gradient_is_that_of_the_loss():
    generator = np.random.default_rng(0)
    pairs = np.stack([generator.permutation(3)[:2] for _ in range(12)], axis=1)
    rows = np.stack([np.arange(12) % 2, *pairs, generator.choice([-1, 1], 12)])
    more = (3, 5), rows, generator.integers(1, 4, 12), 0.1
    point = generator.normal(size=7)

    def error(factor):
        value, slope = (lambda x: noisy_loss(x, *more)[0]), noisy_loss(point, *more)[1]
        return check_grad(value, lambda _: factor * slope, point)

    assert error(1) < 1e-5
    assert error(1.1) > 1e-2


def test_what_comparisons_were_drawn_from_is_recovered():
    # Of 20000 comparisons, the standard error of a probability is about .02 at most.
    score = np.array([1.5, 0.5, 0.0, -0.5, -1.5])
    skill, bias = np.array([0.9, 0.7, 0.5, 0.3]), np.array([0.5, 0.8, 0.2, 0.9])
    noisy = cs.sklearn.NoisyBradleyTerry(1000, 1e-12).fit(
        drawn(score, skill, bias, 20_000, seed=0)
    )
    assert np.abs(noisy.scores_ - expit(score)).max() < 0.06
    assert np.abs(noisy.skills_ - skill).max() < 0.08
    assert np.abs(noisy.biases_ - bias).max() < 0.12
    alike = drawn(score, np.ones(4), bias, 20_000, seed=1)
    plain = cs.sklearn.BradleyTerry().fit_predict(alike)
    assert np.abs(plain - np.exp(score) / np.exp(score).sum()).max() < 0.02


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_the_rows_changes_nothing(data, seed):
    mixed = data.sample(frac=1, random_state=seed)
    for kind in BOTH:
        assert kind().fit_predict(mixed).equals(kind().fit_predict(data))


@pytest.mark.parametrize("kind", BOTH)
def test_a_fit_can_be_pickled_and_repeated(kind, data):
    first = kind().fit_predict(data)
    again = pickle.loads(pickle.dumps(kind().fit(data)))  # noqa: S301 (ours)
    assert again.fit_predict(data).equals(first)
    assert kind().fit(data.iloc[:0]).scores_.empty


@pytest.mark.parametrize("kind", BOTH)
def test_items_are_returned_as_they_went_in(kind):
    rows = [("w", 2, 10, 2), ("w", 10, 2, 10), ("w", 2, 10, 2)]
    assert list(kind().fit_predict(table(rows)).index) == [2, 10]
    pairs = table(rows)
    for name in ("left", "right", "label"):
        pairs[name] = [("question", item) for item in pairs[name]]
    assert list(kind().fit_predict(pairs).index) == [("question", 2), ("question", 10)]
    annotated = table(rows).rename(columns={"worker": "annotator"})
    assert len(kind().fit_predict(annotated)) == 2


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (("p", "a", "b", "c"), "row 241: the label 'c' is neither 'a' nor 'b'"),
        (("p", "a", "a", "a"), "row 241: 'a' is compared with itself"),
        (("p", "a", None, "a"), "row 241: right is missing"),
    ],
)
@pytest.mark.parametrize("kind", BOTH)
def test_a_row_that_is_no_comparison_is_a_mistake(kind, data, row, match):
    with pytest.raises(DataError, match=match):
        kind().fit(pd.concat([data, table([row])], ignore_index=True))
    with pytest.raises(ColumnError, match="no column left"):
        kind().fit(data.drop(columns="left"))


def test_comparisons_that_are_not_connected_are_a_mistake(data):
    apart = pd.concat([data, table([("p", "d", "e", "d"), ("p", "e", "d", "e")])])
    with pytest.raises(DataError, match=r"not connected.* from 'a' to 'd'"):
        cs.sklearn.BradleyTerry().fit(apart)
    # The penalty compares all items with one of average score.
    scores = cs.sklearn.NoisyBradleyTerry().fit_predict(apart)
    assert scores[["d", "e"]].tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_score_that_goes_to_zero_is_warned_of(data):
    beaten = pd.concat([data, table([("p", "a", "d", "a")])])
    with pytest.warns(ConsilienceWarning, match="'d' never won"):
        scores = cs.sklearn.BradleyTerry().fit_predict(beaten)
    assert scores["d"] == 0
    unbeaten = pd.concat([data, table([("p", "a", "d", "d")])])
    with pytest.warns(ConsilienceWarning, match=r"'a' \(and 2 more\) never won"):
        cs.sklearn.BradleyTerry().fit(unbeaten)
