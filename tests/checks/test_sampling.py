import numpy as np
import pytest
import xarray as xr

from consilience.checks.sampling import sampling
from consilience.posterior.trust import CANNOT_TELL, FAILED, PASSED

QUANTITIES = ["accuracy[ana]", "prevalence[fox]"]
MODES = "prevalence[fox] is 0.05 in 1 of 4 chains and 0.31 in 3 of 4 chains"


def by_name(verdicts):
    return {verdict.name: verdict for verdict in verdicts}


def fit(
    *,
    rhat=(1.0, 1.01),
    bulk=(900, 400),
    tail=(800, 300),
    chains=4,
    weights=(1.0,),
    draws=1000,
):
    """Return a fit with these figures of two quantities."""
    figures = xr.Dataset(
        {
            "rhat": ("quantity", np.array(rhat, float)),
            "ess_bulk": ("quantity", np.array(bulk, float)),
            "ess_tail": ("quantity", np.array(tail, float)),
            "lowest": ("quantity", np.array([0.1, 0.05])),
            "highest": ("quantity", np.array([0.1, 0.31])),
            "mode_of_chain": ("chain", np.zeros(chains, int)),
            "mode_weight": ("mode", np.array(weights)),
        },
        {"quantity": np.array(QUANTITIES, object)},
        {"modes": MODES, "draws": draws},
    )
    return xr.DataTree.from_dict({"convergence": figures})


def test_chains_that_mix_pass():
    verdicts = by_name(sampling(fit()))
    assert set(verdicts) == {"rhat", "ess_bulk", "ess_tail", "modes"}
    assert all(verdict.outcome == PASSED for verdict in verdicts.values())
    assert all(verdict.remedy == "nothing to fix" for verdict in verdicts.values())


@pytest.mark.parametrize(
    ("name", "given", "outcome"),
    [
        ("rhat", {"rhat": (1.0, 1.05)}, PASSED),
        ("rhat", {"rhat": (1.0, 1.08)}, FAILED),
        ("rhat", {"rhat": (1.0, np.inf)}, FAILED),
        ("ess_bulk", {"bulk": (900, 200)}, PASSED),
        ("ess_bulk", {"bulk": (900, 120)}, FAILED),
        ("ess_bulk", {"bulk": (900, np.nan)}, FAILED),
        ("ess_tail", {"tail": (900, 60)}, FAILED),
    ],
)
def test_a_check_passes_fails_or_cannot_tell_and_names_the_worst(name, given, outcome):
    verdict = by_name(sampling(fit(**given)))[name]
    assert verdict.outcome == outcome
    assert outcome == PASSED or "prevalence[fox]" in verdict.remedy
    if name == "rhat" and outcome != PASSED:
        assert "is 0.05 on average in one chain and 0.31 in another" in verdict.remedy


def test_modes_fail_and_are_told_apart():
    verdict = by_name(sampling(fit(weights=(0.7, 0.3))))["modes"]
    assert verdict.outcome == FAILED
    assert verdict.value == 2
    assert "prevalence[fox] is 0.05 in 1 of 4 chains and 0.31 in 3" in verdict.remedy
    assert "0.70, 0.30" in verdict.remedy


@pytest.mark.parametrize(
    ("given", "enough"),
    [
        # 1,000 * 200 / 120 * 1.3 = 2,167 draws, and so on.
        ({"bulk": (900, 120)}, "2,200"),
        ({"tail": (900, 40)}, "3,300"),
        # (1.08^2 - 1) / (1.05^2 - 1) = 1.62
        ({"rhat": (1.0, 1.08)}, "2,200"),
        ({"rhat": (1.0, 1.3), "bulk": (900, 120)}, "8,800"),
    ],
)
def test_a_check_that_does_not_pass_says_how_many_draws_would_do(given, enough):
    remedies = [v.remedy for v in sampling(fit(**given)) if v.outcome != PASSED]
    assert remedies
    assert all(f"some {enough} would do" in remedy for remedy in remedies)


def test_one_chain_cannot_be_compared():
    verdict = by_name(sampling(fit(rhat=(np.nan, np.nan), chains=1)))["rhat"]
    assert verdict.outcome == CANNOT_TELL
    assert "chains" in verdict.remedy


@pytest.fixture
def stats():
    key = np.random.default_rng(3)
    return {
        "diverging": np.zeros((4, 500), dtype=bool),
        "energy": key.normal(size=(4, 500)),
    }


def test_trajectories_without_divergence_pass(tree, skilled, stats):
    verdicts = sampling(tree(confusion=skilled, stats=stats))
    assert [verdict.name for verdict in verdicts] == ["divergences", "e_bfmi"]
    assert all(verdict.ok for verdict in verdicts)


def test_one_divergence_fails(tree, skilled, stats):
    stats["diverging"][3, 7] = True
    result = by_name(sampling(tree(confusion=skilled, stats=stats)))
    assert result["divergences"].value == 1
    assert not result["divergences"].ok
    assert "tune" in result["divergences"].remedy
