"""NUTS: calibrated intervals, no divergences, what ArviZ makes of a fit."""

import warnings

import arviz_stats
import jax
import numpy as np
import pytest
from numpyro.diagnostics import split_gelman_rubin
from scipy.special import logsumexp
from tests.studies import inside, off

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.engines import nuts
from consilience.posterior.tree import tree
from consilience.progress import Progress

EFFORT = EngineOptions(tune=200, draws=200, chains=2)


@pytest.fixture(scope="module")
def study(simulated):
    return simulated(
        "logistic_dawid_skene",
        4,
        items=200,
        annotators=50,
        per_item=5,
        classes=2,
        prior={"spread": 1.5},
    )


@pytest.fixture(scope="module")
def honest(study):
    model = load("logistic_dawid_skene", {"spread": 1.5})
    results: list[Progress] = []
    with jax.enable_x64(True):
        result = nuts.fit(model, study[0], 0, EFFORT, results.append)
    return result, results


@pytest.mark.study
@pytest.mark.parametrize("others", [0, 1])
def test_intervals_hold_accuracies_as_often_as_they_say_of_the_right_annotators(
    honest, study, others
):
    right = np.einsum("cdjkk->cdjk", honest[0].parameters["confusion"])
    truth = np.einsum("jkk->jk", np.roll(study[2], others, axis=0))
    held = inside(right.reshape(-1, *truth.shape), truth)
    assert (off(held) < 4) == (not others)


def test_chains_mix_in_every_parameter_without_divergences(honest):
    result, _ = honest
    assert not result.sample_stats["diverging"].any()
    for draws in result.parameters.values():
        flat = draws.reshape(*draws.shape[:2], -1).astype(float)
        # R-hat of n independent draws varies by about 1/n; five of its spreads.
        assert np.nanmax(split_gelman_rubin(flat)) < 1 + 5 * np.sqrt(
            2 / flat[..., 0].size
        )


@pytest.fixture(scope="module")
def laid_out(honest, study):
    return tree(study[0], honest[0], load("logistic_dawid_skene").dims(study[0]), {})


def by_hand(data):
    """Log p(item's answers | the other items): a harmonic mean over all draws."""
    values = data["log_likelihood"]["responses"].stack(sample=("chain", "draw"))
    likelihood = values.transpose("item", "sample").to_numpy().astype(float)
    return np.log(likelihood.shape[1]) - logsumexp(-likelihood, axis=1)


def test_arviz_leaves_out_an_item_with_all_its_answers(laid_out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = arviz_stats.loo(laid_out, pointwise=True)
    assert result.n_data_points == 200
    # Where weights hardly need smoothing it is the harmonic mean, but for the smoothing
    # of the largest: a percent of a probability or so.
    light = result.pareto_k.to_numpy() < 0.3
    assert light.sum() > 100
    apart = result.elpd_i.to_numpy()[light] - by_hand(laid_out)[light]
    assert np.abs(apart).max() < 0.02
