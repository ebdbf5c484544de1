"""Logistic Dawid-Skene: its draws, by quadrature."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit

from consilience.fitting import EngineOptions, fit
from consilience.responses import read


def one_annotator(right, wrong):
    """One annotator on items whose truth is known, for one state only."""
    said = ["a"] * right + ["b"] * wrong
    items = [f"i{number}" for number in range(len(said))]
    frame = pd.DataFrame({"item": items, "annotator": "ann", "label": said})
    gold = pd.DataFrame({"item": items, "label": "a"})
    return read(frame, labels=["a", "b"]), gold


def exact_mean_accuracy(right, wrong):
    """P(a | a) of the annotator by quadrature over population, spread and annotator.

    The log-odds are sqrt(2) beta, beta ~ N(mu, s^2), mu ~ N(sqrt(2), 1), s ~ N+(1).
    """

    def weighted(power):
        def integrand(spread):
            width = np.hypot(1.0, spread)

            def over_beta(beta):
                chance = expit(np.sqrt(2) * beta)
                answers = chance ** (right + power) * (1 - chance) ** wrong
                return answers * stats.norm.pdf(beta, np.sqrt(2), width)

            inner, _ = integrate.quad(over_beta, -12, 12, limit=200)
            return inner * stats.halfnorm.pdf(spread)

        return integrate.quad(integrand, 0, 8)[0]

    return weighted(1) / weighted(0)


@pytest.mark.study
def test_sampled_accuracy_is_that_of_quadrature():
    responses, gold = one_annotator(right=5, wrong=3)
    effort = EngineOptions(tune=500, draws=2000, chains=4)
    fitted = fit(responses, model="logistic_dawid_skene", gold=gold, effort=effort)
    draws = fitted.data["posterior"]["confusion"].to_numpy()[:, :, 0, 0, 0]
    batches = np.concatenate([np.array_split(chain, 20) for chain in draws]).mean(1)
    error = batches.std(ddof=1) / np.sqrt(len(batches))
    assert abs(draws.mean() - exact_mean_accuracy(5, 3)) < 4 * error
    # It is not that of one answer more.
    assert abs(draws.mean() - exact_mean_accuracy(6, 3)) > 4 * error
