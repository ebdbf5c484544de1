"""Engines that share a model share its prior."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import seed, trace
from scipy.special import gammaln
from scipy.stats import norm
from tests.studies import FITTED, SMALL

from consilience.annotators import load
from consilience.inference import EngineOptions
from consilience.inference.dirichlet import hyperprior
from consilience.inference.engines import vb
from consilience.model import dirichlet_priors, lay_out, normal_priors, sample_answers
from consilience.responses import read
from consilience.spaces import space_of

# Subtypes take longest to compile; `ebcc` has them, too.
LONG = ("community_bcc", "class_conditional")
CLOSED = [
    pytest.param(name, marks=[pytest.mark.study] * (name in LONG))
    for name in FITTED
    if load(name).closed(SMALL) and "nuts" in load(name).engines
]


def sampled(model, observations, number):
    """Draw from the program that samplers take: values, and their log density."""

    def program():
        return sample_answers(model, observations)

    for key in range(number):
        sites = [
            site
            for site in trace(seed(program, key)).get_trace().values()
            if site["type"] == "sample"
        ]
        density = sum(float(site["fn"].log_prob(site["value"]).sum()) for site in sites)
        yield {site["name"]: site["value"] for site in sites}, density


def closed(model, observations, values):
    """Log density of the priors that closed forms take, up to a constant."""
    total = 0.0
    for name, given in dirichlet_priors(model, observations).items():
        prior = replace(given, concentration=np.asarray(given.concentration))
        concentration = np.asarray(values.get(f"{name}_prior", prior.concentration))
        total += float(hyperprior(prior, concentration))
        whole = np.broadcast_to(concentration, prior.shape)
        logs = np.log(np.maximum(values[name], np.finfo(float).tiny))
        normaliser = gammaln(whole.sum(-1)) - gammaln(whole).sum(-1)
        total += (normaliser + ((whole - 1) * logs).sum(-1)).sum()
    for name, prior in normal_priors(model, observations).items():
        total += norm.logpdf(values[name], 0, prior.distribution.scale).sum()
    return total


def distances(model, design, other=None):
    """How far both log densities are apart, at some draws."""
    with jax.enable_x64(True):
        observations = lay_out(model, design)
        return np.array(
            [
                density - closed(other or model, observations, values)
                for values, density in sampled(model, observations, 2)
            ]
        )


FRAME = pd.DataFrame(
    [
        (f"i{item}", f"a{who}", (item * who) % 3)
        for item in range(5)
        for who in range(1, 4)
    ],
    columns=["item", "annotator", "given"],
)


def space(model):
    if "choice" in model.kinds:
        label = FRAME["given"].map({0: "x", 1: "y", 2: "z"})
        return space_of(read(FRAME.drop(columns="given").assign(label=label)))
    words = FRAME["given"].map({0: "yes", 1: "no", 2: "maybe"})
    asked = FRAME.drop(columns="given").assign(label="cat", answer=words)
    given = read(asked, kind="contains", labels=["cat"])
    return space_of(given, num_states=model.states)


@pytest.mark.parametrize("name", CLOSED)
def test_samplers_take_the_prior_that_closed_forms_take(name):
    model = load(name)
    apart = distances(model, space(model))
    assert np.ptp(apart) < 1e-8 * max(1.0, np.abs(apart).max())


def test_the_same_check_catches_another_hyperprior():
    model = load("hierarchical_dawid_skene")
    other = replace(model, prior=replace(model.prior, held=2.0))
    assert np.ptp(distances(model, space(model), other)) > 0.1


def few():
    """28 answers: four annotators about seven items."""
    said = {"a": "xxxyyyy", "b": "xxyyyyx", "c": "xxxyxyy", "d": "yxxyyxy"}
    rows = [
        (f"i{place}", who, label)
        for who, labels in said.items()
        for place, label in enumerate(labels)
    ]
    return space_of(read(pd.DataFrame(rows, columns=["item", "annotator", "label"])))


def by_importance(space, number, held):
    """P(the first label) of each item, by weighed draws from the prior, and its error.

    Without any engine: concentrations, confusions and prevalence are drawn from the
    formula that the model states.
    """
    generator = np.random.default_rng(0)
    start = np.array([[4.0, 1.0], [1.0, 4.0]])
    alpha = generator.gamma(1 + held * start, 1 / held, (number, 1, 2, 2))
    gamma = generator.gamma(np.broadcast_to(alpha, (number, 4, 2, 2)))
    confusion = gamma / gamma.sum(-1, keepdims=True)
    prevalence = generator.dirichlet(np.ones(2), number)
    joint = np.repeat(np.log(prevalence)[:, None], space.num_units, axis=1)
    for unit, who, answer in zip(
        space.unit, space.annotator, space.answer, strict=True
    ):
        joint[:, unit] += np.log(np.maximum(confusion[:, who, :, answer], 1e-300))
    whole = np.logaddexp(joint[..., 0], joint[..., 1])
    total = whole.sum(1)
    weight = np.exp(total - total.max())
    weight /= weight.sum()
    first = np.exp(joint[..., 0] - whole)
    mean = weight @ first
    error = np.sqrt(weight**2 @ (first - mean) ** 2)
    return mean, error


@pytest.fixture(scope="module")
def drawn():
    """P(the first label) as `vb` has it, and the error of its draws."""
    model, given = load("hierarchical_dawid_skene"), few()
    with jax.enable_x64(True):
        each = [
            vb.fit(model, given, key, EngineOptions(draws=400)).belief[:, 0]
            for key in range(8)
        ]
    return np.mean(each, axis=0), np.std(each, axis=0, ddof=1) / np.sqrt(len(each))


@pytest.mark.parametrize(("held", "same"), [(1.0, True), (0.2, False)])
def test_beliefs_are_those_of_weighed_draws_from_the_prior(drawn, held, same):
    mean, error = by_importance(few(), 400_000, held)
    # Student's t of seven degrees, seven items: 6 is passed by chance once in 300.
    near = np.abs(drawn[0] - mean) < 6 * np.hypot(drawn[1], error)
    assert near.all() == same
