"""Bayesian Dawid-Skene, against an independent program and a sum over all truths."""

import numpy as np
import pytest

from consilience.fitting import EngineOptions, fit
from consilience.model import HostModel
from consilience.responses import read
from consilience.scoring.metrics import score

# Accuracies of variational Bayes under the same prior (4 and 1), by the program of Li,
# Rubinstein and Cohn (2019), which counts identical repeated answers once.
ACCURACY = {"cf": 0.8833, "dog": 0.8389, "rte": 0.9275}


@pytest.mark.parametrize("name", ACCURACY)
def test_accuracy_is_that_of_an_independent_program(data_folder, name):
    responses = read(data_folder / "crowd" / name, repeats="distinct")
    effort = EngineOptions(draws=0, restarts=1)
    fitted = fit(responses, model="bayesian_dawid_skene", engine="vb", effort=effort)
    labels = fitted.with_(truth="raw").labels()
    scored = score(labels, responses.gold, kind="choice", seed=0)
    assert abs(scored.metrics["accuracy"].value - ACCURACY[name]) < 0.003


def test_augmentation_draws_from_the_exact_posterior(tiny):
    fitted = fit(
        tiny.responses,
        model="bayesian_dawid_skene",
        engine="vb",
        effort=EngineOptions(draws=4000),
    )
    logs = {
        name: np.log(fitted.data["posterior"][name].to_numpy()[0])
        for name in ("prevalence", "confusion")
    }
    tables = HostModel(tiny.model, tiny.space)
    results = np.array(
        [
            tables.posterior({name: draws[which] for name, draws in logs.items()})[1]
            for which in range(4000)
        ]
    )[:, :, 0]
    # Draws of the chain are correlated: batch means give the standard error.
    error = results.reshape(40, 100, -1).mean(1).std(0, ddof=1) / np.sqrt(40)
    weight = np.exp(tiny.log_joint(np.arange(len(tiny.rows))))
    exact = weight @ (tiny.truths == 0) / weight.sum()
    assert (np.abs(results.mean(0) - exact) < 4 * error).all()
    assert (np.abs(results.mean(0) - exact[::-1]) > 4 * error).any()
