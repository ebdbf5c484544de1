"""Logistic Dawid-Skene: its geometry changes nothing."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import seed, substitute, trace
from scipy import integrate, stats
from scipy.special import expit

from consilience.annotators.logistic_dawid_skene import MODEL, prepare
from consilience.fitting import EngineOptions, fit
from consilience.model import joint, zero_sum_basis
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe


def one_annotator(right, wrong):
    """One annotator on items whose truth is known, for one state only."""
    said = ["a"] * right + ["b"] * wrong
    items = [f"i{number}" for number in range(len(said))]
    frame = pd.DataFrame({"item": items, "annotator": "ann", "label": said})
    gold = pd.DataFrame({"item": items, "label": "a"})
    return read(frame, labels=["a", "b"]), gold


def exact_mean_accuracy(right, wrong):
    """P(a | a) of the annotator by quadrature over population, spread and annotator.

    The log-odds are sqrt(2) beta, beta ~ N(mu, s^2), mu ~ N(sqrt(2), 1), s ~ N+(1).
    """

    def weighted(power):
        def integrand(spread):
            width = np.hypot(1.0, spread)

            def over_beta(beta):
                chance = expit(np.sqrt(2) * beta)
                answers = chance ** (right + power) * (1 - chance) ** wrong
                return answers * stats.norm.pdf(beta, np.sqrt(2), width)

            inner, _ = integrate.quad(over_beta, -12, 12, limit=200)
            return inner * stats.halfnorm.pdf(spread)

        return integrate.quad(integrand, 0, 8)[0]

    return weighted(1) / weighted(0)


@pytest.mark.study
def test_sampled_accuracy_is_that_of_quadrature():
    responses, gold = one_annotator(right=5, wrong=3)
    fitted = fit(
        responses,
        model="logistic_dawid_skene",
        engine="nuts",
        gold=gold,
        effort=EngineOptions(tune=500, draws=1000, chains=2),
    )
    draws = fitted.data["posterior"]["confusion"].to_numpy()[:, :, 0, 0, 0]
    batches = draws.reshape(2 * 20, 50).mean(1)
    error = batches.std(ddof=1) / np.sqrt(len(batches))
    assert abs(draws.mean() - exact_mean_accuracy(5, 3)) < 4 * error


@pytest.fixture(scope="module")
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


def test_the_geometry_leaves_the_density_of_the_confusions_as_it_is(study):
    # log p(distance) + correction, less the Jacobian of distance -> log-odds, must be
    # the normal density of the log-odds: the plain form at the same confusions.
    def traced(observations, **values):
        program = seed(lambda: joint(MODEL, observations), 1)
        return trace(substitute(program, data=values)).get_trace()

    def beta(observations, values):
        confusion = traced(observations, **values)["confusion"]["value"]
        return jnp.log(confusion) @ zero_sum_basis(3)

    def density(observations, values):
        return sum(
            site["fn"].log_prob(site["value"]).sum()
            for site in traced(observations, **values).values()
            if site["type"] == "sample"
        )

    @jax.jit
    def both_sides(plain):
        shaped = replace(plain, prepared=prepare(plain, MODEL.prior))
        free = {
            name: site["value"]
            for name, site in traced(shaped).items()
            if site["type"] == "sample" and not site["is_observed"]
        }
        at = beta(shaped, free)
        volume = jax.jacobian(
            lambda flat: beta(shaped, {**free, "distance": flat.reshape(at.shape)})
        )(free["distance"].ravel())
        centred = (at - free["population"]) / free["spread"][:, None]
        same = {**free, "distance": centred}
        left = density(shaped, free)
        left -= jnp.linalg.slogdet(volume.reshape(at.size, at.size))[1]
        jacobian = jnp.log(free["spread"]).sum() * at.shape[0] * at.shape[2]
        return (left, at), (density(plain, same) - jacobian, beta(plain, same))

    with jax.enable_x64(True):
        shaped, plain = both_sides(observe(study))
    for one, other in zip(shaped, plain, strict=True):
        assert np.allclose(one, other)
