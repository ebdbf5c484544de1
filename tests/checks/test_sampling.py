import numpy as np
import pytest

from consilience.checks.sampling import sampling
from consilience.posterior.results.diagnostics import TOO_LITTLE


def by_name(verdicts):
    return {verdict.name: verdict for verdict in verdicts}


@pytest.fixture
def stats():
    key = np.random.default_rng(3)
    return {
        "diverging": np.zeros((4, 500), dtype=bool),
        "energy": key.normal(size=(4, 500)),
    }


def test_chains_that_mix_pass(tree, skilled, stats):
    result = by_name(sampling(tree(confusion=skilled, stats=stats)))
    assert set(result) == {"rhat", "ess_bulk", "divergences", "e_bfmi"}
    assert all(verdict.ok for verdict in result.values())
    assert all(verdict.remedy == "nothing to fix" for verdict in result.values())
    assert result["rhat"].value == pytest.approx(1.0, abs=0.01)


def test_a_chain_in_another_place_fails(tree, skilled, stats):
    elsewhere = np.zeros((4, 500))
    elsewhere[2] = 3.0
    scale = elsewhere + np.random.default_rng(1).normal(size=(4, 500))
    result = by_name(
        sampling(tree(confusion=skilled, others={"scale": scale}, stats=stats))
    )
    assert not result["rhat"].ok
    assert "scale" in result["rhat"].remedy
    assert not result["ess_bulk"].ok


def test_a_chain_that_stands_still_fails(tree, skilled, stats):
    stuck = skilled.copy()
    stuck[1] = stuck[1, 0]
    result = by_name(sampling(tree(confusion=stuck, stats=stats)))
    assert not result["rhat"].ok
    assert "confusion[ana, state" in result["rhat"].remedy


def test_all_chains_standing_still_in_different_places_fail(tree, skilled, stats):
    stuck = np.repeat(skilled[:, :1], 500, axis=1)
    result = by_name(sampling(tree(confusion=stuck, stats=stats)))
    assert not result["rhat"].ok
    assert not result["ess_bulk"].ok


def test_a_parameter_fixed_by_the_model_is_left_out(tree, skilled, stats):
    fixed = {"offset": np.zeros((4, 500))}
    result = by_name(sampling(tree(confusion=skilled, others=fixed, stats=stats)))
    assert all(verdict.ok for verdict in result.values())


def test_one_chain_cannot_be_compared(tree, skilled, stats):
    one = {name: values[:1] for name, values in stats.items()}
    result = by_name(sampling(tree(confusion=skilled[:1], stats=one)))
    assert result["rhat"].outcome == TOO_LITTLE
    assert np.isnan(result["rhat"].value)
    assert "chains" in result["rhat"].remedy
    assert result["ess_bulk"].limit == 100


def test_one_divergence_fails(tree, skilled, stats):
    stats["diverging"][3, 7] = True
    result = by_name(sampling(tree(confusion=skilled, stats=stats)))
    assert result["divergences"].value == 1
    assert not result["divergences"].ok
    assert "tune" in result["divergences"].remedy


def test_energy_that_creeps_fails(tree, skilled, stats):
    # A random walk: its steps vary by 1, itself by far more.
    creeping = np.random.default_rng(5).normal(size=(4, 500)).cumsum(axis=1)
    result = by_name(
        sampling(tree(confusion=skilled, stats={**stats, "energy": creeping}))
    )
    assert not result["e_bfmi"].ok


def test_a_fit_without_a_sampler_has_no_such_verdicts(tree, skilled):
    assert sampling(tree(confusion=skilled, engine="vb")) == []
