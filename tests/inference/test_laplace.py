"""Importance weights of draws about the mode."""

import numpy as np
import pytest

from consilience.inference.gradient_em import _truncated


def test_weights_are_relative_densities_where_these_are_nearly_alike():
    density = np.array([1.0, 1.2, 0.9, 1.1])
    assert _truncated(np.log(density) - 700) == pytest.approx(density / density.sum())


def test_no_proposal_outweighs_the_others_by_more_than_a_root_of_their_number():
    logs = np.zeros(100)
    logs[3] = 50.0
    logs[4] = -np.inf
    result = _truncated(logs)
    assert result.sum() == pytest.approx(1)
    assert result[4] == 0
    # By hand: all weight is at one place, and is cut to a tenth.
    assert result[3] == pytest.approx(1)
    logs[3] = np.log(30.0)
    result = _truncated(logs)
    assert result[3] / result[0] == pytest.approx(0.1 / (1 / 128))
