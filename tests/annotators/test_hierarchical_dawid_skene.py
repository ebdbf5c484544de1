"""Hierarchical Dawid-Skene: its prior is learned."""

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import gammaln

from consilience.annotators.hierarchical_dawid_skene import MODEL
from consilience.inference import ascent
from consilience.inference.engines import vb
from consilience.model import HostModel
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of


def study():
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:02d}" for number in range(40)], 4),
            "annotator": generator.choice(list("pqrstuv"), 160),
            "label": generator.choice(["x", "y", "z"], 160, p=[0.6, 0.3, 0.1]),
        }
    )
    return space_of(read(frame))


def test_the_learned_concentration_is_the_optimum_an_optimiser_finds():
    where, _ = ascent.optimize(
        HostModel(MODEL, study()),
        vb.RULE,
        ascent.Steps(tolerance=1e-13, iterations=5000),
        np.random.default_rng(0),
        silent,
    )
    counts = np.asarray(where.counts["confusion"])
    start = 1 + 3 * np.eye(3)

    def loss(logs):
        learned = np.exp(logs).reshape(3, 3)
        total = (learned + counts).sum(2)
        value = gammaln(learned + counts).sum() - gammaln(total).sum()
        value -= len(counts) * (gammaln(learned).sum() - gammaln(learned.sum(1)).sum())
        return -value - (start * np.log(learned) - learned).sum()

    best = optimize.minimize(loss, np.log(start).ravel(), tol=1e-12)
    result = np.asarray(where.concentration["confusion"])
    assert np.allclose(result, np.exp(best.x).reshape(3, 3), rtol=2e-3)
