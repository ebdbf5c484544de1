import numpy as np
import pytest
import xarray as xr

from consilience.checks.sampling import finite, optimization
from consilience.posterior.trust import CANNOT_TELL


def climb(*rows, converged=None, chosen=0, **attrs):
    longest = max(map(len, rows))
    objective = np.full((len(rows), longest), np.nan)
    for index, row in enumerate(rows):
        objective[index, : len(row)] = row
    return xr.Dataset(
        {
            "objective": (("restart", "sweep"), objective),
            "converged": ("restart", np.array(converged or [True] * len(rows))),
            "chosen": chosen,
        },
        attrs=attrs,
    )


@pytest.fixture
def verdicts(tree, skilled):
    def check(group, engine="vb"):
        data = tree(confusion=skilled[:1], engine=engine, optimization=group)
        return {verdict.name: verdict for verdict in optimization(data)}

    return check


def test_a_climb_that_arrives_passes(verdicts):
    result = verdicts(climb([-300.0, -210.0, -200.0], [-310.0, -200.1]))
    assert all(verdict.ok for verdict in result.values())
    assert set(result) == {"stopped_early", "objective_fall", "objective_spread"}
    # A tenth of a nat over 100 responses.
    assert result["objective_spread"].value == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("course", "fall", "attrs"),
    [
        ([-300.0, -200.0, -200.1, -199.0], 0.1 / 200.1, {}),
        ([-300.0, -200.0, -200.0 - 1e-8], 0.0, {}),  # rounding is no fall
        ([-300.0, -200.0, -200.0001], 0.0001 / 200.0001, {}),
        # An engine of single precision says what rounding is.
        ([-300.0, -200.0, -200.0001], 0.0, {"rounding": 1e-6}),
    ],
)
def test_a_fall_beyond_rounding_fails(verdicts, course, fall, attrs):
    verdict = verdicts(climb(course, **attrs))["objective_fall"]
    assert verdict.ok == (fall == 0)
    assert fall == 0 or verdict.value == pytest.approx(fall)


def test_starts_that_end_at_different_optima_fail(verdicts):
    result = verdicts(climb([-300.0, -200.0], [-310.0, -250.0]))
    assert result["objective_spread"].value == pytest.approx(0.5)
    assert not result["objective_spread"].ok
    assert "restarts" in result["objective_spread"].remedy


def test_one_start_says_nothing_of_other_optima(verdicts):
    spread = verdicts(climb([-300.0, -200.0]))["objective_spread"]
    assert spread.outcome == CANNOT_TELL
    assert np.isnan(spread.value)
    assert spread.ok
    assert "restarts" in spread.remedy


def test_draws_that_are_no_numbers_are_counted(tree, skilled):
    (verdict,) = finite(tree(confusion=skilled))
    assert verdict.ok
    skilled[0, 3, 1, 2] = np.nan
    skilled[1, 0, 0, 0] = np.inf
    (verdict,) = finite(tree(confusion=skilled))
    assert verdict.value == 2
    assert not verdict.ok


def test_a_probability_that_is_no_number_fails_but_padding_does_not(tree, skilled):
    data = tree(confusion=skilled)
    broken = data["truth"]["probability"].copy()
    broken[1, 2] = np.nan
    data["truth"]["probability"] = broken
    assert not finite(data)[0].ok
    padded = xr.DataArray([0, 1, -1], dims="candidate")
    data["constant_data"]["candidate_class"] = padded
    assert finite(data)[0].ok
