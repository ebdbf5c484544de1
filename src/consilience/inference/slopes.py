r"""The slope of a density, and what slopes tell of its curvature and its mean.

What each annotator has of its own is measured in units of its own posterior
(`consilience.model.varying`), so it is the coordinates that all share which bend by far
more or less than one another. An optimizer in coordinates of equal curvature, and a
chain in their metric, take a fraction of the steps. And the slopes on either side of a
top tell how far the mean is from it, which matters where numbers are many and answers
few.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Bool, Float, Int

from consilience.continuing import Loop
from consilience.model import Parameters
from consilience.progress import Progress, Reporter, silent

type Slope = Callable[[Float[np.ndarray, " P"]], Float[np.ndarray, " P"]]
# Up to so many numbers, the curvature of them all is measured, by two gradients each:
# judgement, as forty draws of a bootstrap and a long warm-up take as many and more.
MOST = 1000
FIRST = 1e-2  # of a step to measure curvature by, where no width is known yet
STIFF = 1e8  # no curvature is taken for larger, nor for smaller than its inverse
# Pairs of points that third derivatives are measured by, and how far from the top they
# are, in standard deviations: judgement. In three studies of contains neither .5 nor 1
# was nearer to draws by NUTS.
SIDES, NEAR = 60, 0.5
# Of the mean, in standard deviations along each axis: a correction of first order is
# not larger than what it corrects.
FARTHEST = 1.0


def slope_of(energy: Callable[[Parameters], Any], unravel: Callable[..., Any]) -> Slope:
    """Return the slope as a function of the place, of one of the position."""

    def slope(place: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        _, slope = energy(unravel(jnp.asarray(place)))
        return np.asarray(ravel_pytree(slope)[0], float)

    return slope


def curvature(
    slope: Slope,
    place: Float[np.ndarray, " P"],
    which: Int[np.ndarray, " C"],
    report: Reporter = silent,
    *,
    rough: bool = False,
) -> Float[np.ndarray, "C C"]:
    """Return the curvature along some coordinates, all others held: a definite one."""
    here = slope(place) if rough else None

    def rows(
        which: Int[np.ndarray, " C"], width: Float[np.ndarray, " C"]
    ) -> Float[np.ndarray, "C P"]:
        state = {"hessian": np.empty((len(which), len(place)))}
        for done in Loop("curvature", state, len(which)):
            at, wide = which[done], width[done]
            step = np.zeros(len(place))
            step[at] = wide
            ahead = slope(place + step)
            behind, far = (
                (here, wide) if here is not None else (slope(place - step), 2 * wide)
            )
            state["hessian"][done] = (ahead - behind) / far
            note = f"{done + 1} of {len(which)} numbers"
            report(Progress("curvature", done + 1, len(which), note))
        return state["hessian"]

    bent = rows(which, np.full(len(which), FIRST))[:, which]
    if not rough:
        width = 0.5 / np.sqrt(np.clip(np.diag(bent), 1 / STIFF, STIFF))
        far = np.flatnonzero(width < FIRST)
        bent[far] = rows(which[far], width[far])[:, which]
    values, axes = np.linalg.eigh((bent + bent.T) / 2)
    # A ridge that bends the wrong way at the top is as wide as the prior allows: one.
    values = np.where(values > 1 / STIFF, values, 1.0)
    return (axes * values) @ axes.T


def root_of_inverse(curvature: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "C C"]:
    """Return a root of the covariance at the top of a normal; its columns are axes."""
    values, axes = np.linalg.eigh(curvature)
    return np.asarray(axes / np.sqrt(values))


def to_the_mean(
    slope: Slope,
    place: Float[np.ndarray, " P"],
    root: Float[np.ndarray, "P P"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " P"]:
    r"""Return how far from a top the mean is, to first order.

    With :math:`H` the curvature at the top, the mean of a density is off by
    :math:`-\frac{1}{2} H^{-1} \nabla \log \det H`. The slope of the log determinant is
    that of the third derivatives, which slopes on either side of the top tell:
    :math:`\nabla \log \det H = E[g(z) + g(-z)]`, :math:`z \sim N(0, H^{-1})`.
    """
    total = np.zeros(len(place))
    for _ in range(SIDES):
        step = NEAR * root @ generator.standard_normal(len(place))
        total += slope(place + step) + slope(place - step)
    along = root.T @ total / (2 * SIDES * NEAR**2)
    return -root @ np.clip(along, -FARTHEST, FARTHEST)


class Whitening(NamedTuple):
    """Coordinates of which some are mixed, so that a density bends alike along them."""

    which: Int[np.ndarray, " C"]
    root: Float[np.ndarray, "C C"]
    free: Bool[np.ndarray, " P"]

    def mixed(self, straight: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return how far a step goes in the coordinates as they were."""
        step = np.where(self.free, straight, 0.0)
        step[self.which] = self.root @ straight[self.which]
        return step

    def slope(self, slope: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return the slope in coordinates that are straight."""
        turned = np.where(self.free, slope, 0.0)
        turned[self.which] = self.root.T @ slope[self.which]
        return turned
