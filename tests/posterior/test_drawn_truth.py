"""The truth by draw of the parameters is what the fit tells, and varies as they do."""

import numpy as np
import pytest
from scipy.special import logit

import consilience as cs
from consilience.posterior.labels import by_label, candidates
from consilience.posterior.tree import with_groups
from consilience.posterior.truth import drawn_truth, with_mean


@pytest.fixture(scope="module")
def choice():
    return cs.simulate(items=60, annotators=8, classes=3, per_item=3, seed=0)


@pytest.fixture(scope="module")
def contains():
    return cs.simulate(
        kind="contains", items=40, annotators=8, classes=4, per_item=4, seed=0
    )


@pytest.fixture(scope="module")
def variational(choice):
    fit = cs.fit(choice.responses, model="one_coin_dawid_skene", engine="vb", seed=0)
    return fit.with_(truth="raw")


def test_the_mean_over_draws_is_what_the_fit_tells(variational):
    drawn = drawn_truth(variational.data)
    reported = candidates(variational.data).probability
    assert drawn.shape == (40, *reported.shape)
    np.testing.assert_allclose(drawn.mean(0), reported, atol=1e-5)


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_each_draw_is_a_distribution_with_the_mean_that_is_given(spread):
    generator = np.random.default_rng(0)
    drawn = generator.dirichlet(np.full(4, spread), size=(30, 50))
    mean = generator.dirichlet(np.full(4, 0.3), size=50)
    mean[0], drawn[:, 1, 2] = [1, 0, 0, 0], 0.0
    drawn[:, 1] /= drawn[:, 1].sum(1, keepdims=True)
    mean[2, 3], drawn[:, 2, 3] = np.nan, np.nan
    mean[2, :3] /= mean[2, :3].sum()
    drawn[:, 2, :3] /= drawn[:, 2, :3].sum(1, keepdims=True)
    moved = with_mean(drawn, mean)
    np.testing.assert_allclose(np.nansum(moved, axis=2), 1)
    np.testing.assert_allclose(moved.mean(0), mean, atol=2e-3)
    # Moved by a sum and cut off, they are none: what is certain gets too much.
    cut = np.clip(drawn + mean - drawn.mean(0), 0, 1)
    assert np.nansum(cut, axis=2).mean() > 1.01


def test_draws_are_as_far_apart_as_the_bounds_say(variational):
    result = np.quantile(drawn_truth(variational.data, 200), [0.05, 0.95], axis=0)
    stated = candidates(variational.data)
    apart = (stated.upper - stated.lower).mean()
    assert abs((result[1] - result[0]).mean() - apart) < 0.1 * apart


def test_a_bootstrap_is_told_again_to_the_last_digit(contains):
    fit = cs.fit(
        contains.responses,
        model="contains_counts",
        effort=cs.EngineOptions(draws=4, restarts=1),
    )
    drawn = drawn_truth(fit.data)
    assert len(drawn) == 4
    rows = fit.labels()["probability"].to_numpy(float)
    np.testing.assert_allclose(by_label(fit.data, drawn).mean(0), rows, atol=1e-6)
    assert drawn.std(0).max() > 0.001


def test_tempered_draws_vary_by_the_design_effect_less(variational):
    raw = drawn_truth(variational.data)
    truth = variational.data["truth"].to_dataset()
    effect = truth["design_effect"] * 0 + 4.0
    tempered = truth.assign(design_effect=effect).assign_attrs(reported="tempered")
    result = drawn_truth(with_groups(variational.data, truth=tempered))
    inside = ((raw > 0.002) & (raw < 0.998)).all(0)
    assert inside.sum() > 20
    spread = [logit(each[:, inside]).std(0).mean() for each in (raw, result)]
    # Distances in log-odds are divided by four, and rows then sum to one again.
    assert 0.2 < spread[1] / spread[0] < 0.3


def test_gold_stays_certain_in_every_draw(choice):
    gold = choice.responses.gold.head(5)
    fit = cs.fit(
        choice.responses, model="one_coin_dawid_skene", engine="vb", gold=gold, seed=0
    )
    drawn = by_label(fit.data, drawn_truth(fit.data))
    table = fit.labels().astype({"item": "str", "label": "str"})
    known = gold.astype({"item": "str", "label": "str"})
    hit = table.merge(known, on=["item", "label"], how="left", indicator=True)
    rows = (hit["_merge"] == "both").to_numpy()
    assert rows.sum() == 5
    np.testing.assert_allclose(drawn[:, rows], 1.0)
