"""Weights of models against SciPy's optimum, standard errors against a bootstrap."""

import numpy as np
import pytest
from scipy import optimize, stats

from consilience.posterior.leave_one_out import (
    DRAWS,
    shrink_weights,
    stacking_weights,
    standing,
)

ITEMS = 400


@pytest.fixture(scope="module")
def study():
    """Scores of four models; answers to an item share half of their ups and downs."""
    generator = np.random.default_rng(2)
    size = generator.integers(1, 8, ITEMS)
    unit = np.repeat(np.arange(ITEMS), size)
    level = np.array([-0.8, -0.92, -1.0, -1.6])[:, None]
    item = generator.normal(size=(4, ITEMS))[:, unit]
    elpd = level + 0.4 * (item + generator.normal(size=(4, len(unit))))
    return elpd, unit, generator.integers(1, 3, len(unit))


def objective(weight, elpd, n):
    return n @ np.log(weight @ np.exp(elpd)) / n.sum()


def test_weights_are_the_optimum(study):
    elpd, _, n = study
    result = stacking_weights(elpd, n)

    def cost(weight):
        mixed = weight @ np.exp(elpd)
        return -objective(weight, elpd, n), -(np.exp(elpd) / mixed) @ n / n.sum()

    best = optimize.minimize(
        cost,
        np.full(4, 0.25),
        jac=True,
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14},
    ).x
    assert result.sum() == pytest.approx(1)
    gap = objective(best, elpd, n) - objective(result, elpd, n)
    assert abs(gap) < 1e-6
    # A quadratic of this least curvature is so far from its top at such a gap.
    likely = np.exp(elpd) / (best @ np.exp(elpd))
    curvature = np.linalg.eigvalsh((likely * n) @ likely.T / n.sum())[0]
    assert np.abs(result - best).max() < np.sqrt(2e-6 / curvature)
    assert 0.1 < best.max() < 0.9  # neither one model alone nor all alike
    assert objective(np.full(4, 0.25), elpd, n) < objective(result, elpd, n) - 1e-3


@pytest.mark.parametrize(
    ("drift", "shown", "shares"),
    [
        # Half of the shrinkage each for those that do not drift.
        ([0.0, 0.0, 0.5], [1, 1, 1], [0.34, 0.38, 0.28]),
        # Drifts .01 apart are a factor of e: .6 / (1 + 1 / e) = .4386 and .1614.
        ([0.03, 0.04, 0.02], [1, 1, 0], [0.4786, 0.2414, 0.28]),
        # Were all shown, the nearest has most: .6 times e^-1, e^-2 and 1 over 1.5032.
        ([0.03, 0.04, 0.02], [1, 1, 1], [0.1868, 0.1340, 0.6791]),
        # Where no model shows its drift stacking alone is left.
        ([0.0, 0.0, 0.0], [0, 0, 0], [0.1, 0.2, 0.7]),
    ],
)
def test_weights_are_those_worked_by_hand(drift, shown, shares):
    weight = np.array([0.1, 0.2, 0.7])
    result = shrink_weights(weight, np.array(drift), np.array(shown, bool))
    assert np.allclose(result, shares, atol=5e-5)


def test_an_answer_given_twice_weighs_as_two_answers(study):
    elpd, unit, n = study
    counted = standing(elpd, unit, n)
    rows = np.repeat(np.arange(len(unit)), n)
    each = standing(elpd[:, rows], unit[rows], np.ones(len(rows), int))
    for name in ("elpd", "se", "difference", "difference_se", "weight"):
        assert np.allclose(getattr(counted, name), getattr(each, name))
    assert not np.allclose(stacking_weights(elpd, np.ones_like(n)), counted.weight)


@pytest.fixture(scope="module")
def resampled(study):
    """Means of the models in four thousand resamples of the items."""
    elpd, unit, n = study
    total = np.stack([np.bincount(unit, n * each, ITEMS) for each in elpd])
    size = np.bincount(unit, n, ITEMS)
    drawn = np.random.default_rng(5).multinomial(ITEMS, np.full(ITEMS, 1 / ITEMS), 4000)
    return (drawn @ total.T) / (drawn @ size)[:, None]


# Four times the relative error of a standard deviation of 4000 resamples; what the
# ratio's curvature adds is of the order of one in the number of items.
NEAR = 4 / np.sqrt(2 * 4000) + 4 / ITEMS


def test_standard_errors_are_those_of_a_bootstrap_by_item(study, resampled):
    result = standing(*study)
    assert np.allclose(result.se / resampled.std(0), 1, atol=NEAR)
    lacking = (resampled - resampled[:, [0]]).std(0)[1:]
    assert np.allclose(result.difference_se[1:] / lacking, 1, atol=NEAR)
    assert result.difference[0] == result.difference_se[0] == 0
    assert np.allclose(result.difference, result.elpd - result.elpd.max())


def test_standard_errors_as_of_independent_answers_are_too_small(study, resampled):
    elpd, _, n = study
    apart = standing(elpd, np.arange(len(n)), n).se
    assert (apart / resampled.std(0) < 1 - NEAR).all()


def test_the_best_is_as_probable_as_the_difference_over_its_error_says(study):
    elpd, unit, n = study
    result = standing(elpd[:2], unit, n)
    chance = stats.norm.cdf(-result.difference[1] / result.difference_se[1])
    assert 0.6 < chance < 0.99
    error = np.sqrt(chance * (1 - chance) / DRAWS)
    assert abs(result.best[0] - chance) < 4 * error
    assert result.best.sum() == pytest.approx(1)
