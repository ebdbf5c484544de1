"""The nodes for a normal, against SciPy's adaptive quadrature."""

import functools

import jax
import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import integrate, stats
from scipy.special import expit, logsumexp

from consilience.model import normal_nodes


def log_chance(effect, right, wrong):
    return right * np.log(expit(effect)) + wrong * np.log(expit(-effect))


def on_nodes(node, log_weight, right, wrong, spread=2.0):
    return logsumexp(log_weight + log_chance(2 - spread * node, right, wrong))


@functools.cache
def exact(right, wrong, spread=2.0):
    """Log of the chance of the answers to an item, its difficulty integrated out."""
    value, _ = integrate.quad(
        lambda x: np.exp(log_chance(2 - spread * x, right, wrong)) * stats.norm.pdf(x),
        -12,
        12,
        epsabs=0,
        epsrel=1e-10,
        limit=500,
    )
    return np.log(value)


def worst(node, log_weight, answers):
    """Largest error over what can be said about an item."""
    said = [(right, answers - right) for right in range(answers + 1)]
    return max(abs(on_nodes(node, log_weight, *each) - exact(*each)) for each in said)


@pytest.fixture(scope="module")
def nodes():
    def build(number):
        with jax.enable_x64(True):
            return tuple(np.asarray(part) for part in normal_nodes(number))

    return build


def test_thirty_one_nodes_serve_ten_answers_and_more_nodes_serve_more(nodes):
    assert worst(*nodes(31), 10) < 1e-5
    assert worst(*nodes(61), 20) < 1e-5
    assert worst(*nodes(121), 10) < 1e-8


def test_eleven_nodes_do_not(nodes):
    assert worst(*nodes(11), 10) > 1e-3


def test_as_many_gauss_hermite_nodes_are_worse(nodes):
    node, weight = hermegauss(31)
    log_weight = np.log(weight / weight.sum())
    for answers in (10, 20, 40):
        assert worst(node, log_weight, answers) > 10 * worst(*nodes(31), answers)
