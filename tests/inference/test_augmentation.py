"""Draws of learned concentrations, against the same density summed on a grid."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln

from consilience.annotators import load
from consilience.inference.ascent import Steps, logs_of, optimize
from consilience.inference.augmentation import BURN_IN, _draw_concentration, augment
from consilience.inference.engines import vb
from consilience.model import Dirichlet, HostModel
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of

START = np.array([4.0, 1.0])
COUNTS = np.array([[9.0, 1.0], [7.0, 3.0], [19.0, 1.0], [3.0, 2.0]])
HELD = 1.0


def on_a_grid():
    """Mean of log concentration given counts of four: vectors are integrated out."""
    axis = np.linspace(-4, 5, 600)
    first, second = np.meshgrid(axis, axis, indexing="ij")
    logs = np.stack([first, second], -1)
    values = np.exp(logs)
    density = np.zeros(values.shape[:-1])
    for counts in COUNTS:
        total = values + counts
        density += gammaln(values.sum(-1)) - gammaln(total.sum(-1))
        density += (gammaln(total) - gammaln(values)).sum(-1)
    # Gamma(1 + held start, held), and the Jacobian of the logarithm.
    density += (HELD * (START * logs - values) + logs).sum(-1)
    weight = np.exp(density - density.max())
    return (weight[..., None] * logs).sum((0, 1)) / weight.sum()


def chain(held, sweeps=4000):
    prior = Dirichlet(START, (4, 2), hyperprior_weight=held)
    generator, at, walked = np.random.default_rng(0), START, []
    for _ in range(sweeps):
        at = _draw_concentration(generator, prior, at, COUNTS)
        walked.append(np.log(at))
    return np.array(walked)


def far_from_the_grid(held):
    walked = chain(held)
    batches = walked.reshape(40, -1, 2).mean(1)
    error = batches.std(0, ddof=1) / np.sqrt(40)
    return np.abs(walked.mean(0) - on_a_grid()) / error


@pytest.mark.parametrize("times", [1, 3])
def test_concentrations_are_drawn_from_their_posterior_and_no_other(times):
    assert (far_from_the_grid(times * HELD) < 4).all() == (times == 1)


def drawn(chains, number=40):
    generator = np.random.default_rng(0)
    item = np.repeat(np.arange(30), 3)
    label = np.where(generator.random(90) < 0.8, item % 2, 1 - item % 2)
    frame = pd.DataFrame({"item": item, "annotator": np.arange(90) % 3, "label": label})
    sweeps = HostModel(load("bayesian_dawid_skene"), space_of(read(frame.astype(str))))
    where, _ = optimize(sweeps, vb.RULE, Steps(), generator, silent)
    truth = sweeps.truth(sweeps.sweep(logs_of(vb.RULE, where)).belief)
    results = []
    draws, moments, _ = augment(
        sweeps, where, truth, generator, number, results.append, chains=chains
    )
    return draws, moments, results[-1]


def test_of_several_chains_as_many_draws_are_kept_and_all_are_summed():
    one, sums, _ = drawn(1)
    several, all_sums, progress = drawn(5)
    assert len(one.likelihood) == len(several.likelihood) == 40
    assert len(several.parameters["confusion"]) == 40
    assert np.allclose(sums.belief.sum(1), 40)
    assert np.allclose(all_sums.belief.sum(1), 5 * 40)
    assert progress.done == progress.total == 5 * (BURN_IN + 40)


def test_chains_are_drawn_apart():
    draws = drawn(5)[0].parameters["prevalence"]
    assert len(np.unique(draws[:, 0])) == 40
