"""Data augmentation in several chains."""

import numpy as np
import pandas as pd

from consilience.annotators import load
from consilience.inference.ascent import Steps, logs_of, optimize
from consilience.inference.augmentation import BURN_IN, augment
from consilience.inference.engines import vb
from consilience.model import HostModel
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of


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
