"""Small studies that every model is tried on."""

import itertools
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pandas as pd
import pytest
from numpy.random import Generator
from numpyro.handlers import substitute
from scipy.special import softmax

from consilience.model import dirichlet_priors, sample_answers
from consilience.responses import read
from consilience.spaces import space_of


@pytest.fixture(scope="session")
def every_answer():
    """A space whose units hold all answers that two annotators can give to an item."""

    def build(kind, num_labels, lists=None):
        labels = [f"l{code}" for code in range(num_labels)]
        words = labels if kind == "choice" else ["no", "maybe", "yes"]
        pairs = list(itertools.product(words, repeat=2))
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
    generator = np.random.default_rng(0)
    annotator = generator.random((300, 12)).argsort(1)[:, :5]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(300)], 5),
            "annotator": [f"a{code:02d}" for code in annotator.ravel()],
            "label": np.tile(["x", "y", "z"], 500),
        }
    )
    return space_of(read(frame))


@pytest.fixture(scope="session")
def objects_design():
    """60 items of three labels, four responses each that name one label or two."""
    generator = np.random.default_rng(0)
    rows = []
    for item in range(60):
        for response in range(4):
            named = generator.permutation(3)[: 1 + generator.integers(2)]
            rows += [
                (f"i{item:03d}", f"r{item}-{response}", f"l{label}", place, place == 0)
                for place, label in enumerate(named)
            ]
    columns = ["item", "response_id", "label", "object", "main"]
    frame = pd.DataFrame(rows, columns=columns)
    return space_of(read(frame, kind="objects"))


@pytest.fixture(scope="session")
def contains_design():
    """300 items, five of twelve annotators each, one label asked about."""
    generator = np.random.default_rng(0)
    annotator = generator.random((300, 12)).argsort(1)[:, :5]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(300)], 5),
            "annotator": [f"a{code:02d}" for code in annotator.ravel()],
            "label": "l0",
            "answer": np.tile(["no", "maybe", "yes"], 500),
        }
    )
    return space_of(read(frame, kind="contains"))


@pytest.fixture(scope="session")
def drawn_by_numpy():
    """Sites and parameters drawn from a model's prior; JAX's samplers compile long."""
    return lambda model, observations, number=0: _drawn(model, observations, number)


@pytest.fixture(scope="session")
def some_parameters(drawn_by_numpy):
    """Parameters drawn from a model's prior."""
    return lambda *given: drawn_by_numpy(*given)[1]


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
        given = [np.asarray(getattr(made, name), float) for name in names]
        value = np.asarray(sampler(generator, *given, size=site["fn"].shape()))
        sites[site["name"]] = jnp.asarray(value)
        return sites[site["name"]]

    with substitute(substitute_fn=draw):
        sample_answers(model, observations)
    closed = dirichlet_priors(model, observations) if model.closed else ()
    tiny = np.finfo(float).tiny  # of a probability
    logs = {name: jnp.log(jnp.maximum(sites[name], tiny)) for name in closed}
    return sites, {**sites, **logs}


@pytest.fixture
def answered():
    """Put other answers into a space."""
    return lambda space, answer: replace(space, answer=np.asarray(answer, np.int32))
