import numpy as np
import pytest
import xarray as xr

from consilience.checks.optimization import optimization
from consilience.posterior.diagnostics import TOO_LITTLE


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


def test_a_climb_that_was_cut_short_fails(verdicts):
    result = verdicts(
        climb([-300.0, -200.0], [-250.0, -201.0], converged=[False, True])
    )
    assert not result["stopped_early"].ok
    assert "sweeps" in result["stopped_early"].remedy


def test_only_the_chosen_start_must_arrive(verdicts):
    group = climb([-300.0, -200.0], [-250.0, -201.0], converged=[False, True], chosen=1)
    assert verdicts(group)["stopped_early"].ok


def test_a_fall_fails(verdicts):
    result = verdicts(climb([-300.0, -200.0, -200.1, -199.0]))
    assert not result["objective_fall"].ok
    assert result["objective_fall"].value == pytest.approx(0.1 / 200.1)


def test_rounding_is_no_fall(verdicts):
    assert verdicts(climb([-300.0, -200.0, -200.0 - 1e-8]))["objective_fall"].ok


def test_an_engine_of_single_precision_says_what_rounding_is(verdicts):
    fall = [-300.0, -200.0, -200.0001]
    assert not verdicts(climb(fall))["objective_fall"].ok
    assert verdicts(climb(fall, rounding=1e-6))["objective_fall"].ok


def test_a_noisy_objective_may_fall(verdicts):
    result = verdicts(climb([-300.0, -200.0, -220.0, -199.0]), engine="svi")
    assert "objective_fall" not in result


def test_starts_that_end_at_different_optima_fail(verdicts):
    result = verdicts(climb([-300.0, -200.0], [-310.0, -250.0]))
    assert result["objective_spread"].value == pytest.approx(0.5)
    assert not result["objective_spread"].ok
    assert "restarts" in result["objective_spread"].remedy


def test_one_start_says_nothing_of_other_optima(verdicts):
    spread = verdicts(climb([-300.0, -200.0]))["objective_spread"]
    assert spread.outcome == TOO_LITTLE
    assert np.isnan(spread.value)
    assert spread.ok
    assert "restarts" in spread.remedy


def test_a_fit_by_sampling_has_no_such_verdicts(tree, skilled):
    assert optimization(tree(confusion=skilled)) == []
