"""One coin, against NumPyro's enumeration, a count by hand, and simulation."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import pytest
from numpyro.infer.util import log_density

from consilience.annotators.one_coin_dawid_skene import MODEL
from consilience.fitting import fit
from consilience.inference import EngineOptions
from consilience.model import joint
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe


@pytest.fixture(scope="module")
def space():
    rows = [
        ("i", "ann", "x"),
        ("i", "bob", "x"),
        ("i", "cy", "y"),
        ("j", "ann", "z"),
        ("j", "cy", "z"),
        ("k", "bob", "y"),
    ]
    return space_of(read(pd.DataFrame(rows, columns=["item", "annotator", "label"])))


def test_the_density_is_that_of_the_model_written_out_with_its_truths(space):
    accuracy = np.array([0.9, 0.6, 0.2])
    prevalence = np.array([0.5, 0.3, 0.2])
    learned = np.array([3.0, 1.5])
    values = {
        "prevalence": prevalence,
        "skill": np.stack([accuracy, 1 - accuracy], 1),
        "skill_prior": learned,
    }
    with jax.enable_x64(True):
        result, _ = log_density(joint, (MODEL, observe(space)), {}, values)
    # Truths in turn: each unit's answers are independent of the others'.
    total = 0.0
    for unit in range(3):
        mine = space.unit == unit
        each = prevalence.copy()
        for who, said in zip(space.annotator[mine], space.answer[mine], strict=True):
            right = np.arange(3) == said
            each *= np.where(right, accuracy[who], (1 - accuracy[who]) / 2)
        total += np.log(each.sum())

    def plain():
        # mode at four and two, weight of one annotator: Gamma(1 + a, 1)
        start = dist.Gamma(jnp.array([5.0, 3.0]), 1.0).to_event(1)
        prior = numpyro.sample("skill_prior", start)
        numpyro.sample("prevalence", dist.Dirichlet(jnp.ones(3)))
        each = dist.Dirichlet(jnp.broadcast_to(prior, (3, 2))).to_event(1)
        numpyro.sample("skill", each)

    with jax.enable_x64(True):
        prior, _ = log_density(plain, (), {}, values)
        assert np.allclose(float(result), total + float(prior))


def test_with_the_truth_known_accuracies_are_counted():
    said = ["a"] * 7 + ["b"] * 3
    items = [f"i{number}" for number in range(10)]
    frame = pd.DataFrame({"item": items, "annotator": "ann", "label": said})
    gold = pd.DataFrame({"item": items, "label": "a"})
    held = {"held": 1e8}
    fitted = fit(
        read(frame, labels=["a", "b", "c"]),
        model="one_coin_dawid_skene",
        engine="vb",
        gold=gold,
        prior=held,
        effort=EngineOptions(draws=0),
    )
    # Four and two imagined: (7 + 4) / 16 right, and half the rest for each wrong label.
    result = fitted.data["posterior"]["confusion"].to_numpy()[0, 0, 0]
    rows = np.full((3, 3), 5 / 32) + np.eye(3) * (11 / 16 - 5 / 32)
    assert np.allclose(result, rows, atol=1e-6)
