"""Draws of learned concentrations, against the same density summed on a grid."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import gammaln

from consilience.inference.augmentation import STEPS, _draw_concentration
from consilience.model import Dirichlet

START = np.array([4.0, 1.0])
COUNTS = np.array([[9.0, 1.0], [7.0, 3.0], [19.0, 1.0], [3.0, 2.0]])
HELD = 1.0


def on_a_grid():
    """Mean of log concentration given counts of four: vectors are integrated out."""
    axis = np.linspace(-4, 5, 600)
    first, second = np.meshgrid(axis, axis, indexing="ij")
    logs = np.stack([first, second], -1)
    values = np.exp(logs)
    density = np.zeros(values.shape[:-1])
    for counts in COUNTS:
        total = values + counts
        density += gammaln(values.sum(-1)) - gammaln(total.sum(-1))
        density += (gammaln(total) - gammaln(values)).sum(-1)
    # Gamma(1 + held start, held), and the Jacobian of the logarithm.
    density += (HELD * (START * logs - values) + logs).sum(-1)
    weight = np.exp(density - density.max())
    return (weight[..., None] * logs).sum((0, 1)) / weight.sum()


def chain(key, held, sweeps=4000):
    prior = Dirichlet(jnp.asarray(START), (4, 2), held=held)
    counts = jnp.asarray(COUNTS)

    def sweep(at, key):
        moved = _draw_concentration(key, prior, at, counts)
        return moved, jnp.log(moved)

    _, walked = jax.lax.scan(sweep, jnp.asarray(START), jax.random.split(key, sweeps))
    return np.asarray(walked)


def far_from_the_grid(held):
    with jax.enable_x64(True):
        walked = chain(jax.random.key(0), held)
    batches = walked.reshape(40, -1, 2).mean(1)
    error = batches.std(0, ddof=1) / np.sqrt(40)
    return np.abs(walked.mean(0) - on_a_grid()) / error


def test_concentrations_are_drawn_from_their_posterior():
    assert STEPS > 0
    assert (far_from_the_grid(HELD) < 4).all()


def test_the_same_check_catches_another_hyperprior():
    assert (far_from_the_grid(3 * HELD) > 4).any()
