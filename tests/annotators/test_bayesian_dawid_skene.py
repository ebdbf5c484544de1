"""Bayesian Dawid-Skene, against an independent program and a sum over all truths."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

from consilience.fitting import EngineOptions, fit
from consilience.responses import read
from consilience.scoring.metrics import score

# Accuracies of variational Bayes under the same prior (4 and 1), by the program of Li,
# Rubinstein and Cohn (2019), which counts identical repeated answers once.
ACCURACY = {
    "bird": 0.8889,
    "cf": 0.8833,
    "cf_amt": 0.8567,
    "dog": 0.8389,
    "ms": 0.790,
    "rte": 0.9275,
    "senti_1k": 0.960,
    "trec": 0.705,
    "zc_all": 0.7951,
    "zc_in": 0.7696,
    "zc_us": 0.8270,
}


@pytest.mark.parametrize("name", ["bird", "cf", "dog", "rte", "zc_in"])
def test_accuracy_is_that_of_an_independent_program(data_folder, name):
    responses = read(data_folder / "crowd" / name, repeats="distinct")
    fitted = fit(
        responses,
        model="bayesian_dawid_skene",
        engine="vb",
        effort=EngineOptions(draws=0, restarts=1),
    )
    labels = fitted.with_(truth="raw").labels()
    scored = score(labels, responses.gold, kind="choice", seed=0)
    assert abs(scored.metrics["accuracy"].value - ACCURACY[name]) < 0.003


ROWS = [("i", "ann", "a"), ("i", "bob", "a"), ("j", "ann", "b"), ("j", "bob", "a")]


def exact_posterior():
    """P(truth is a) of items i and j: all truths in turn, parameters integrated out."""
    labels, items = ["a", "b"], ["i", "j"]
    weight = np.zeros((2, 2))
    for truth in itertools.product(labels, repeat=2):
        of = dict(zip(items, truth, strict=True))
        held = [truth.count(label) for label in labels]
        log = betaln(1 + held[0], 1 + held[1])
        for person, state in itertools.product(["ann", "bob"], labels):
            said = [
                given
                for item, who, given in ROWS
                if who == person and of[item] == state
            ]
            right, wrong = said.count(state), len(said) - said.count(state)
            log += betaln(4 + right, 1 + wrong)
        for row, label in enumerate(truth):
            weight[row, labels.index(label)] += np.exp(log)
    return weight[:, 0] / weight.sum(1)


def test_augmentation_draws_from_the_exact_posterior():
    frame = pd.DataFrame(ROWS, columns=["item", "annotator", "label"])
    draws = 4000
    fitted = fit(
        read(frame),
        model="bayesian_dawid_skene",
        engine="vb",
        effort=EngineOptions(draws=draws),
    )
    posterior = fitted.data["posterior"]
    logs = np.log(posterior["confusion"].to_numpy()[0])
    prevalence = np.log(posterior["prevalence"].to_numpy()[0])
    said = {"i": [("ann", 0), ("bob", 0)], "j": [("ann", 1), ("bob", 0)]}
    people = list(posterior["annotator"].to_numpy())
    results = []
    for answers in said.values():
        total = prevalence.copy()
        for who, given in answers:
            total += logs[:, people.index(who), :, given]
        odds = total[:, 0] - total[:, 1]
        results.append(1 / (1 + np.exp(-odds)))
    results = np.array(results)
    # Draws of the chain are correlated: batch means give the standard error.
    batches = results.reshape(2, 40, -1).mean(2)
    error = batches.std(1, ddof=1) / np.sqrt(40)
    assert (np.abs(results.mean(1) - exact_posterior()) < 4 * error).all()
