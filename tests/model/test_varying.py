"""How well a spread is known: by hand, and none where nothing varies."""

import jax.numpy as jnp
import pytest
from numpyro.handlers import seed, substitute, trace

from consilience.model.varying import sample_random_effects, sample_scale, scale_errors


def program(information):
    spread = sample_scale("skill", 1.0, 0.5)
    sample_random_effects("skill", spread, jnp.asarray(information))


@pytest.mark.parametrize(
    ("information", "spread", "expected"),
    [
        # Two numbers of information 3: each 3 / 4 known, so 2 * 2 * (3 / 4)^2 = 9 / 4,
        # and 4 beforehand: 25 / 4, an error of 2 / 5.
        ([3.0, 3.0], 1.0, 0.4),
        # With spread 2 the same: 4 * 3 / 4 = 3.
        ([0.75, 0.75], 2.0, 0.4),
        # Answers that say nothing leave what was known beforehand.
        ([0.0, 0.0], 1.0, 0.5),
    ],
)
def test_a_spread_is_known_as_its_numbers_are(information, spread, expected):
    at = substitute(seed(program, 0), data={"skill_spread": jnp.asarray(spread)})
    result = scale_errors(trace(at).get_trace(information))
    assert float(result["skill"]) == pytest.approx(expected)
