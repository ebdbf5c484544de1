"""The tempered posterior of the truth, and the two of a fit told apart."""

import numpy as np
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.posterior.tree import with_groups
from consilience.posterior.truth import FIELDS, Truth, mix, temper

ALIKE = np.ones((1, 3))
PREVALENCE = np.array([[0.7, 0.2, 0.1]])


@pytest.fixture(scope="module")
def truth():
    """Forty units of three states, with bounds around."""
    generator = np.random.default_rng(0)
    probability = generator.dirichlet([0.6, 0.6, 0.6], 40)
    away = generator.uniform(0, 0.5, (2, 40, 3))
    return Truth(probability, probability * away[0], 1 - (1 - probability) * away[1])


def at(number, units=40):
    return np.full(units, float(number))


def test_two_answers_that_count_as_one_are_one_under_a_flat_prior():
    # Two equal answers: their likelihood is the square of that of one.
    likelihood = np.array([[0.8, 0.15, 0.05]])

    def posterior(power):
        weight = likelihood**power
        return weight / weight.sum(1, keepdims=True)

    none = np.full((1, 3), np.nan)
    result = temper(Truth(posterior(2), none, none), ALIKE, at(2, 1))
    assert np.allclose(result.probability, posterior(1))
    assert not np.allclose(result.probability, posterior(2), atol=0.05)
    assert np.isnan(result.lower).all()
    assert np.isnan(result.upper).all()


def order(probability):
    return np.argsort(-probability, axis=1, kind="stable")


@pytest.mark.parametrize("effect", [1.3, 4, 40])
def test_labels_keep_their_order(truth, effect):
    result = temper(truth, ALIKE, at(effect))
    assert np.array_equal(order(result.probability), order(truth.probability))
    # A prevalence at full strength moves items to common labels.
    drifted = temper(truth, PREVALENCE, at(effect))
    assert not np.array_equal(order(drifted.probability), order(truth.probability))


def test_what_is_impossible_stays_so():
    possible = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    probability = np.array([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0]])
    result = temper(Truth(probability, probability, probability), possible, at(3, 2))
    for name in FIELDS:
        assert (getattr(result, name)[possible == 0] < 1e-12).all()
    assert np.allclose(result.probability.sum(1), 1)
    # A third of the log-odds over even ones.
    assert result.probability[0, 0] == pytest.approx(1 / (1 + 9 ** (-1 / 3)))
    # Gold leaves one state, which stays certain.
    assert result.probability[1, 1] == 1
    assert result.lower[1, 1] == pytest.approx(1)


@pytest.mark.parametrize("effect", [1, 1.7, 20])
def test_bounds_hold_the_probability_and_come_closer_in_log_odds(truth, effect):
    result = temper(truth, ALIKE, at(effect))
    assert (result.lower <= result.probability).all()
    assert (result.probability <= result.upper).all()

    def odds(part):
        p, low, high = (
            np.log(value) - np.log1p(-value)
            for value in (part.probability, part.lower, part.upper)
        )
        return p - low, high - p

    for before, after in zip(odds(truth), odds(result), strict=True):
        assert np.allclose(after, before / effect, atol=1e-6)


def test_a_mixture_is_the_weighted_mean(truth):
    other = Truth(truth.upper, truth.lower, truth.probability)
    result = mix([truth, other], np.array([0.25, 0.75]))
    assert np.allclose(result.probability, truth.probability / 4 + truth.upper * 0.75)
    assert np.allclose(result.lower, truth.lower)
    assert np.allclose(result.upper, truth.upper / 4 + truth.probability * 0.75)


@pytest.fixture
def both(choice_fit):
    """A fit that tells the raw posterior and keeps a tempered one."""
    data = choice_fit().data
    truth = data["truth"].to_dataset()
    kept = {f"tempered_{name}": 0.5 * truth[name] + 0.1 for name in FIELDS}
    truth = truth.assign(kept).assign_attrs(reported="raw", residual_z=5.0)
    return cs.Fit(with_groups(data, truth=truth))


def test_a_fit_tells_the_other_posterior_when_asked(both):
    other = both.with_(truth="tempered")
    was, now = both.data["truth"], other.data["truth"]
    for name in FIELDS:
        assert np.allclose(now[name], was[f"tempered_{name}"], equal_nan=True)
        assert np.allclose(now[f"raw_{name}"], was[name], equal_nan=True)
        assert f"tempered_{name}" not in now
    attributes = {"first_reported": "raw", "reported": "tempered", "residual_z": 5.0}
    assert now.attrs == attributes
    reported = both.labels()["probability"], other.labels()["probability"]
    assert np.allclose(reported[1], 0.5 * reported[0] + 0.1)
    assert both.data["truth"].attrs["reported"] == "raw"  # the first is left as it was


def test_raw_tempered_raw_is_the_same_fit(both):
    again = both.with_(truth="tempered").with_(truth="raw")
    assert again.data.identical(both.data)
    assert both.with_(truth="raw").data is both.data


def test_a_fit_without_another_posterior_says_so(choice_fit):
    fit = choice_fit()
    assert fit.with_(truth="raw").labels().equals(fit.labels())
    with pytest.raises(OptionError, match=r"no tempered posterior.*only the raw one"):
        fit.with_(truth="tempered")
