"""Elliptical slice sampling of many independent vectors side by side.

References
----------
Murray, Adams and MacKay (2010), Elliptical slice sampling, figure 2.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

ALL = slice(None)
MOST = 40  # brackets halve each time, about; one that never ends stays where it is

type Which = Int[np.ndarray, " M"] | slice
type LogLikelihood = Callable[
    [Float[np.ndarray, "P M"], Which], Float[np.ndarray, " M"]
]


def elliptical_slice(
    values: Float[np.ndarray, "P N"],
    deviation: Float[np.ndarray, " N"] | float,
    log_likelihood: LogLikelihood,
    generator: np.random.Generator,
) -> Float[np.ndarray, "P N"]:
    """Draw vectors with a normal prior of mean zero and any likelihood."""
    number = values.shape[1]
    at, other = values, deviation * generator.standard_normal(values.shape)
    height = log_likelihood(at, ALL) - generator.standard_exponential(number)
    angle = generator.uniform(0.0, 2 * np.pi, (number,))
    lowest, highest = angle - 2 * np.pi, angle
    drawn, which = values, np.arange(number)
    for _ in range(MOST):
        whole = len(which) == number
        proposed = at * np.cos(angle) + other * np.sin(angle)
        taken = log_likelihood(proposed, ALL if whole else which) >= height
        if whole:
            drawn = np.where(taken, proposed, values)
        else:
            drawn[:, which[taken]] = proposed[:, taken]
        left = np.flatnonzero(~taken)
        if not len(left):
            break
        at, other = at.take(left, axis=1), other.take(left, axis=1)
        which, height, angle = which[left], height[left], angle[left]
        below = angle < 0
        lowest = np.where(below, angle, lowest[left])
        highest = np.where(below, highest[left], angle)
        angle = lowest + (highest - lowest) * generator.random(len(left))
    return drawn
