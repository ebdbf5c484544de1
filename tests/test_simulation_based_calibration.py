"""The check on posteriors known to be right and known to be wrong, then on engines."""

import jax
import numpy as np
import pandas as pd
import pytest
from benchmarks.simulation_based_calibration import (
    BINS,
    LEVEL,
    judge_parameters,
    judge_truth,
    position,
    simulated_fits,
    tally,
    uniformity,
)

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.responses import read
from consilience.spaces import space_of

STUDIES, DRAWS = 200, 99


def toy(posterior, studies=STUDIES):
    """Rank a normal mean, and its likelihood, in studies of eight answers each."""
    generator = np.random.default_rng(0)
    rows = []
    for simulation in range(studies):
        mean = generator.normal()
        answers = mean + generator.normal(size=8)
        draws = posterior(answers, generator)

        def likelihood(at, answers=answers):
            return -0.5 * ((answers - at) ** 2).sum()

        of_draws = np.array([likelihood(draw) for draw in draws])
        for quantity, truth, drawn in (
            ("mean", mean, draws),
            ("log-likelihood", likelihood(mean), of_draws),
        ):
            place = position(np.array([truth]), drawn[:, None], generator)[0]
            rows.append((simulation, quantity, "", place, truth, drawn.mean()))
    names = ["simulation", "quantity", "element", "position", "truth", "mean"]
    return judge_parameters(pd.DataFrame(rows, columns=names)).set_index("quantity")


def exact(answers, generator, *, width=1.0, shift=0.0):
    # Prior N(0, 1) and answers N(mean, 1): precision one more than the answers.
    spread = (len(answers) + 1) ** -0.5
    centre = answers.sum() * spread**2 + shift * spread
    return generator.normal(centre, width * spread, DRAWS)


def test_an_exact_posterior_is_calibrated():
    result = toy(exact)
    assert (result["verdict"] == "calibrated").all()
    assert (result["p"] >= LEVEL).all()
    error = np.sqrt(0.9 * 0.1 / STUDIES)
    assert (np.abs(result["coverage_90"] - 0.9) < 4 * error).all()


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        (lambda y, key: exact(y, key, width=0.6), "too narrow"),
        (lambda y, key: exact(y, key, width=1.8), "too wide"),
        (lambda y, key: exact(y, key, shift=0.7), {"shifted", "too narrow"}),
        (lambda y, key: exact(np.tile(y, 2), key), "too narrow"),
        (lambda y, key: exact(np.tile(y[:4], 2), key), "too narrow"),
    ],
    ids=["overconfident", "diffuse", "biased", "all used twice", "half used twice"],
)
def test_a_wrong_posterior_is_caught_and_named(wrong, verdict):
    result = toy(wrong).loc["mean"]
    assert result["verdict"] in ({verdict} if isinstance(verdict, str) else verdict)
    assert result["p"] < LEVEL


def test_a_posterior_that_ignores_the_answers_is_caught_by_the_likelihood_alone():
    # The prior is calibrated for every parameter (Modrák et al. 2023, section 3).
    result = toy(lambda _, generator: generator.normal(size=DRAWS))
    assert result.loc["mean", "verdict"] == "calibrated"
    assert result.loc["log-likelihood", "p"] < LEVEL


def test_uniform_positions_are_doubted_as_often_as_the_level_says():
    generator = np.random.default_rng(7)
    result = np.array([uniformity(generator.random(50)) for _ in range(400)])
    assert abs((result < 0.1).mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 400)


def believed(change, seed=1, studies=60):
    """Truths drawn from beliefs, and the beliefs changed before they are judged."""
    generator = np.random.default_rng(seed)
    parts = []
    for simulation in range(studies):
        belief = generator.dirichlet([1.0, 0.6, 0.4], size=50)
        state = (belief.cumsum(1) < generator.random((50, 1))).sum(1)
        reported = change(belief, generator)
        parts.append(
            tally(reported / reported.sum(1, keepdims=True), state).assign(
                simulation=simulation
            )
        )
    return judge_truth(pd.concat(parts, ignore_index=True))


def some_up_some_down(belief, _):
    # As much too sure above as too unsure below: right on average, wrong everywhere.
    best = belief.max(1, keepdims=True)
    reported = np.where(best > 0.75, best + 0.08 * (best < 0.9), best - 0.08)
    rest = belief * (belief < best)
    return np.where(
        belief == best, reported, rest / rest.sum(1, keepdims=True) * (1 - reported)
    )


def test_beliefs_that_truths_are_drawn_from_are_calibrated():
    result = believed(lambda belief, _: belief)
    assert result.loc[0, "verdict"] == "calibrated"
    assert result["units"].iloc[1:].sum() == result["units"].iloc[0] == 60 * 50
    assert len(result) == 1 + len(BINS) - 1


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda belief, _: belief**2, "overconfident"),
        (lambda belief, _: belief**0.5, "underconfident"),
        (some_up_some_down, "off in parts"),
    ],
)
def test_beliefs_that_are_changed_are_caught(change, verdict):
    assert believed(change).loc[0, "verdict"] == verdict


def design(items=16, annotators=4, classes=2, per_item=3):
    """Who answers about what; the answers do not matter."""
    generator = np.random.default_rng(0)
    who = generator.random((items, annotators)).argsort(1)[:, :per_item]
    names = [f"l{code}" for code in range(classes)]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:02d}" for number in range(items)], per_item),
            "annotator": [f"a{each}" for each in who.ravel()],
            "label": np.resize(names, who.size),
        }
    )
    return space_of(read(frame, labels=names))


def fits(engine, effort, *, space, power=1, studies=24, prior=None):
    model = load("bayesian_dawid_skene", prior)
    with jax.enable_x64(True):
        return simulated_fits(
            model,
            space,
            engine,
            simulations=studies,
            seed_of_all=1,
            effort=effort,
            power=power,
        )


@pytest.fixture(scope="module")
def by_vb():
    effort = EngineOptions(restarts=1, draws=100)
    space = design(items=60)
    return [fits("vb", effort, space=space, power=power) for power in (1, 4)]


@pytest.fixture(scope="module")
def by_nuts():
    effort = EngineOptions(tune=150, draws=100, chains=1)
    return [fits("nuts", effort, space=design(), power=power) for power in (1, 8)]


def test_draws_of_vb_are_placed_evenly(by_vb):
    result = judge_parameters(by_vb[0].ranks)
    assert (result["verdict"] == "calibrated").all(), result


def test_the_same_check_catches_vb_that_counts_answers_four_times(by_vb):
    result = judge_parameters(by_vb[1].ranks).set_index("quantity")
    assert result.loc["annotators' confusion", "verdict"] == "too narrow"
    assert judge_truth(by_vb[1].items).loc[0, "verdict"] == "overconfident"


@pytest.fixture(scope="module")
def labels_by_vb():
    # Few answers each: how well parameters are known matters to the labels.
    space = design(items=50, annotators=8, per_item=5, classes=3)
    return {
        draws: fits("vb", EngineOptions(restarts=1, draws=draws), space=space).items
        for draws in (100, 0)
    }


def test_labels_of_vb_are_true_as_often_as_promised(labels_by_vb):
    assert judge_truth(labels_by_vb[100]).loc[0, "verdict"] == "calibrated"


def test_the_same_check_catches_labels_at_the_optimum_alone(labels_by_vb):
    assert judge_truth(labels_by_vb[0]).loc[0, "verdict"] == "overconfident"


@pytest.mark.study
def test_nuts_holds_parameters_and_truth_as_often_as_it_says(by_nuts):
    assert not by_nuts[0].failed
    result = judge_parameters(by_nuts[0].ranks)
    assert (result["verdict"] == "calibrated").all(), result
    assert judge_truth(by_nuts[0].items).loc[0, "verdict"] == "calibrated"


@pytest.mark.study
def test_the_same_check_catches_nuts_that_counts_answers_eight_times(by_nuts):
    result = judge_parameters(by_nuts[1].ranks).set_index("quantity")
    assert result.loc["population confusion", "verdict"] == "too narrow"
    assert judge_truth(by_nuts[1].items).loc[0, "verdict"] == "overconfident"
