"""States of presence: a posterior worked by hand, three states unasked, real raters."""

import numpy as np
import pandas as pd
from tests.studies import WORDS, posterior

import consilience as cs
from consilience.annotators.contains_states import MODEL
from consilience.responses import read
from consilience.scoring.metrics import score as judged
from consilience.spaces import space_of


def pairs(rows):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    return read(frame, kind="contains")


def fitted(responses, **settings):
    once = cs.EngineOptions(restarts=1, draws=0)
    return cs.fit(
        responses, model="contains_states", engine="vb", effort=once, **settings
    )


def test_posterior_of_a_maybe_and_a_yes():
    reported = pairs([("i", "a", "cat", "maybe"), ("i", "b", "cat", "yes")])
    # p = .7, .1, .2; a says maybe to .1, .5, .2 of absent, unclear, present, b says
    # yes to .05, .3, .6: .7 x .1 x .05 = .0035, .1 x .5 x .3 = .015, .2 x .2 x .6 =
    # .024; their sum is .0425.
    a = [[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.2, 0.2, 0.6]]
    b = [[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.2, 0.2, 0.6]]
    logs = {"prevalence": np.log([0.7, 0.1, 0.2]), "confusion": np.log([a, b])}
    result = posterior(MODEL, space_of(reported, num_states=3), logs)
    assert np.allclose(result, [[0.0035 / 0.0425, 0.015 / 0.0425, 0.024 / 0.0425]])


def test_it_has_three_states_unasked_and_an_unclear_pair_counts_half():
    generator = np.random.default_rng(0)
    rows = [
        (f"i{number}", who, "cat", WORDS[generator.integers(3)])
        for number in range(30)
        for who in "abc"
    ]
    fit = fitted(pairs(rows))
    truth = fit.data["truth"]["probability"].to_numpy()
    states = fit.data["constant_data"]["true_class"]
    assert list(states) == ["absent", "unclear", "present"]
    expected = truth[:, 2] + truth[:, 1] / 2
    assert np.allclose(fit.labels()["probability"], expected)


def test_a_third_state_is_worth_having_on_real_raters(data_folder):
    folder = data_folder / "reassessed-imagenet"
    golden = read(folder, format="reassessed_imagenet_golden")

    def log_loss(states):
        """Log-loss of experts' majority from all raters, untempered."""
        truth = fitted(golden, states=states).with_(truth="raw").labels()
        result = judged(truth, golden.gold, kind="contains", seed=0)
        return result.metrics["log_loss"].value

    assert log_loss(3) < log_loss(2)
