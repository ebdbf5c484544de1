"""Small studies that every model is tried on."""

import itertools

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pandas as pd
import pytest
from numpy.random import Generator
from numpyro.handlers import substitute
from scipy.special import softmax
from tests.studies import WORDS, crossed

from consilience.model import dirichlet_priors, given, sample_answers
from consilience.responses import read
from consilience.spaces import space_of


@pytest.fixture(scope="session")
def every_answer():
    """A space whose units hold all answers that two annotators can give to an item."""

    def build(kind, num_labels, lists=None):
        labels = [f"l{code}" for code in range(num_labels)]
        pairs = itertools.product(labels if kind == "choice" else WORDS, repeat=2)
        rows = [
            (f"i{number:03d}", annotator, word)
            for number, pair in enumerate(pairs)
            for annotator, word in zip(("ann", "bob"), pair, strict=True)
        ]
        frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
        if kind == "contains":
            frame = frame.rename(columns={"label": "answer"}).assign(label="l0")
        responses = read(
            frame, kind=kind, labels=labels if kind == "choice" else ["l0"]
        )
        return space_of(responses, lists=lists)

    return build


@pytest.fixture(scope="session")
def design():
    """300 items, five of twelve annotators each, three labels."""
    frame = crossed(300, 12, 5)
    return space_of(read(frame.assign(label=np.resize(["x", "y", "z"], len(frame)))))


@pytest.fixture(scope="session")
def contains_design():
    """300 items, five of twelve annotators each, one label asked about."""
    frame = crossed(300, 12, 5).assign(label="l0")
    frame["answer"] = np.resize(WORDS, len(frame))
    return space_of(read(frame, kind="contains"))


@pytest.fixture(scope="session")
def drawn_by_numpy():
    """Sites and parameters drawn from a model's prior; JAX's samplers compile long."""
    return lambda model, observations, number=0: _drawn(model, observations, number)


@pytest.fixture(scope="session")
def some_parameters():
    """Parameters drawn from a model's prior."""
    return lambda model, observations, number=0: _drawn(model, observations, number)[1]


@pytest.fixture(scope="session")
def objects_parameters(some_parameters):
    """Drawn parameters of a model of objects, as its arithmetic takes them."""

    def drawn(model, observations, *number):
        values = some_parameters(model, observations, *number)
        return dict(given(model, observations, values).answers.parameters)

    return drawn


SAMPLERS = {
    dist.Beta: (("concentration1", "concentration0"), Generator.beta),
    dist.Gamma: (
        ("concentration", "rate"),
        lambda generator, shape, rate, size: generator.gamma(shape, 1 / rate, size),
    ),
    dist.HalfNormal: (
        ("scale",),
        lambda generator, scale, size: abs(generator.normal(0, scale, size)),
    ),
    dist.LogNormal: (("loc", "scale"), Generator.lognormal),
    dist.Normal: (("loc", "scale"), Generator.normal),
    dist.Dirichlet: (
        ("concentration",),
        lambda generator, alpha, size: softmax(
            np.log(generator.gamma(alpha + 1, size=size))
            + np.log(generator.random(size)) / alpha,
            -1,
        ),
    ),
}


def _drawn(model, observations, number):
    generator, sites = np.random.default_rng(number), {}

    def draw(site):
        if site["type"] != "sample" or site["is_observed"]:
            return None
        made = site["fn"]
        while isinstance(made, dist.Independent | dist.ExpandedDistribution):
            made = made.base_dist
        names, sampler = next(
            each for kind, each in SAMPLERS.items() if isinstance(made, kind)
        )
        settings = [np.asarray(getattr(made, name), float) for name in names]
        value = np.asarray(sampler(generator, *settings, size=site["fn"].shape()))
        sites[site["name"]] = jnp.asarray(value)
        return sites[site["name"]]

    with substitute(substitute_fn=draw):
        sample_answers(model, observations)
    closed = dirichlet_priors(model, observations) if model.closed(observations) else ()
    tiny = np.finfo(float).tiny  # of a probability
    logs = {name: jnp.log(jnp.maximum(sites[name], tiny)) for name in closed}
    return sites, {**sites, **logs}
