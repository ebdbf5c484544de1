"""The curvature about a top, coordinates in which it is straight, and the mean."""

import numpy as np
import pytest
from scipy.special import digamma

from consilience.inference.slopes import (
    SIDES,
    Whitening,
    curvature,
    root_of_inverse,
    to_the_mean,
)

SHAPES = np.array([4.0, 9.0, 30.0])  # of gamma variables, whose logarithms are mixed
MIX = np.array([[1.0, 0.4, 0.0], [0.0, 2.0, -0.3], [0.5, 0.0, 0.7]])
TOP = np.linalg.solve(MIX, np.log(SHAPES))
MEAN = np.linalg.solve(MIX, digamma(SHAPES))


def slope(place):
    """Of minus the log density of mixed logarithms of gamma variables."""
    return MIX.T @ (np.exp(MIX @ place) - SHAPES)


@pytest.fixture(scope="module")
def root():
    return root_of_inverse(curvature(slope, TOP, np.arange(3)))


def test_curvature_is_the_second_derivative_at_the_top():
    exact = MIX.T @ np.diag(SHAPES) @ MIX
    result = curvature(slope, TOP, np.arange(3))
    # Central differences: off by a sixth of the square of the step at most here.
    assert result == pytest.approx(exact, rel=1e-2)


def off(result):
    """How far from the mean the logarithms are, in their standard deviations."""
    return np.abs(MIX @ (result - MEAN) * np.sqrt(SHAPES)).max()


def test_the_mean_is_found_from_slopes_on_either_side_of_the_top(root):
    result = TOP + to_the_mean(slope, TOP, root, np.random.default_rng(0))
    # Of the shift, half the inverse of the root of a shape in standard deviations, some
    # random points tell all but root(2 / points); the next order is a twelfth of the
    # shape to the power of 3/2.
    chance = np.sqrt(2 / SIDES) / (2 * np.sqrt(SHAPES.min()))
    next_order = 1 / (12 * SHAPES.min() ** 1.5)
    assert off(result) < 4 * chance + 2 * next_order
    assert off(TOP) > 4 * chance + 2 * next_order


def test_straight_coordinates_move_what_is_free_and_hold_the_rest():
    straight = Whitening(
        np.array([2, 0]),
        np.array([[2.0, 1.0], [0.0, 3.0]]),
        np.array([True, False, True, True]),
    )
    moved = straight.mixed(np.array([1.0, 5.0, 10.0, 7.0]))
    assert moved == pytest.approx([3.0, 0.0, 21.0, 7.0])
    # Slopes are those of the density in these coordinates.
    slope, step = np.random.default_rng(0).normal(size=(2, 4))
    assert straight.slope(slope) @ step == pytest.approx(slope @ straight.mixed(step))
