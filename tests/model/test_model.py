"""What follows for every model: states finer than the truth."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
from tests.studies import score

from consilience.annotators import bayesian_dawid_skene
from consilience.inference import EngineOptions
from consilience.inference.engines import vb
from consilience.model import belief, posterior_of_truth
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe

PLAIN = bayesian_dawid_skene.MODEL


def twins(data, prior):
    """Every state split in two of half its weight."""
    plain = PLAIN.program(data, prior)
    halves = np.log(np.full((1, 2), 0.5))
    return replace(plain, log_parts=plain.log_parts.repeat(2, 3), log_share=halves)


SPLIT = replace(PLAIN, program=twins, substates=lambda _: 2)


def logs(*shape):
    return np.log(np.random.default_rng(1).dirichlet(np.ones(3), shape))


LOGS = {"prevalence": logs(), "confusion": logs(6, 3)}


def test_states_finer_than_the_truth_are_summed_into_it():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:02d}" for number in range(50)], 4),
            "annotator": generator.choice(list("abcdef"), 200),
            "label": generator.choice(["x", "y", "z"], 200, p=[0.5, 0.3, 0.2]),
        }
    )
    space = space_of(read(frame))
    effort = EngineOptions(draws=30, tolerance=1e-12, restarts=1)
    with jax.enable_x64(True):
        whole, split = (vb.fit(model, space, 0, effort) for model in (PLAIN, SPLIT))
        assert np.allclose(whole.belief, split.belief, atol=1e-5)
        assert split.lower.shape == whole.lower.shape
        observations = observe(space)
        fine = belief(score(SPLIT, observations, LOGS))
        coarse = belief(score(PLAIN, observations, LOGS))
        assert fine.shape == (50, 6)
        assert np.allclose(posterior_of_truth(SPLIT, fine), coarse)
