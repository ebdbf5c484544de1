"""The nodes for a normal, against SciPy's adaptive quadrature."""

import functools

import numpy as np
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


def test_thirty_one_nodes_serve_ten_answers_and_more_nodes_serve_more():
    assert worst(*normal_nodes(31), 10) < 1e-5
    assert worst(*normal_nodes(61), 20) < 1e-5
    assert worst(*normal_nodes(121), 10) < 1e-8


def test_eleven_nodes_do_not():
    assert worst(*normal_nodes(11), 10) > 1e-3
