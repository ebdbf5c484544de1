"""Bounds of draws: one rule for all, and it holds what it says, of few draws too."""

import ast
from pathlib import Path

import numpy as np
import pytest

import consilience
from consilience.intervals import bounds

STUDIES, MASS = 20_000, 0.9
ERROR = 4 * np.sqrt(MASS * (1 - MASS) / STUDIES)
QUANTILES = {
    f"{prefix}{name}" for prefix in ("", "nan") for name in ("quantile", "percentile")
}
PLACE = "intervals.py"


@pytest.fixture(scope="module", params=[20, 40, 200])
def drawn(request):
    """Draws of many quantities, and one more of each."""
    every = np.random.default_rng(0).normal(size=(request.param + 1, STUDIES))
    return every[1:], every[0]


def held(lower, upper, value):
    return ((lower <= value) & (value <= upper)).mean()


def test_bounds_hold_what_they_say(drawn):
    draws, value = drawn
    assert abs(held(*bounds(draws, MASS), value) - MASS) < ERROR


def test_bounds_that_skip_nan_hold_what_they_say(drawn):
    draws, value = drawn
    some = np.concatenate([draws, np.full_like(draws[:5], np.nan)])
    assert abs(held(*bounds(some, MASS, skip_nan=True), value) - MASS) < ERROR
    assert np.isnan(bounds(some, MASS)).all()


def test_the_same_check_catches_the_rule_that_numpy_takes_by_default():
    value, *draws = np.random.default_rng(0).normal(size=(41, STUDIES))
    lower, upper = np.quantile(draws, [0.05, 0.95], axis=0)
    assert held(lower, upper, value) == pytest.approx(0.856, abs=ERROR)
    assert abs(held(lower, upper, value) - MASS) > ERROR


def quantiles_in(source):
    """Lines on which a library is asked for quantiles, under whatever alias."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in QUANTILES)
        or (isinstance(node, ast.alias) and node.name.split(".")[-1] in QUANTILES)
    ]


def test_no_other_file_has_a_rule_of_its_own():
    root = Path(consilience.__file__).parent
    results = {
        str(path.relative_to(root)): lines
        for path in sorted(root.rglob("*.py"))
        if (lines := quantiles_in(path.read_text(encoding="utf-8")))
    }
    # Whether a draw is in a tail is a question of its own, asked as ArviZ does.
    # Ranks are whole numbers, and so are their bounds.
    others = {"inference/mixing.py", "comparisons/ranking.py"}
    assert set(results) == {PLACE} | others


@pytest.mark.parametrize(
    "source",
    [
        "np.quantile(x, 0.1)",
        "jnp.nanquantile(x, 0.1)",
        "np.percentile(x, 10)",
        "frame['x'].quantile(0.1)",
        "from numpy import quantile as q",
    ],
)
def test_the_same_search_notices_one(source):
    assert quantiles_in(source) == [1]
