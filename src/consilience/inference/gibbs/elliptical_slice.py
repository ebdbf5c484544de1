"""Elliptical slice sampling of many independent vectors side by side.

References
----------
Murray, Adams and MacKay (2010), Elliptical slice sampling, figure 2.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

MOST = 40  # brackets halve each time, about; one that never ends stays where it is

type LogLikelihood = Callable[
    [Float[np.ndarray, "M P"], Int[np.ndarray, " M"]], Float[np.ndarray, " M"]
]


def elliptical_slice(
    values: Float[np.ndarray, "N P"],
    deviation: Float[np.ndarray, "N #P"] | float,
    log_likelihood: LogLikelihood,
    generator: np.random.Generator,
) -> Float[np.ndarray, "N P"]:
    """Draw vectors with a normal prior of mean zero and any likelihood.

    Parameters
    ----------
    values
        Where the chain stands.
    deviation
        Prior standard deviation.
    log_likelihood
        Of some vectors, given also which they are.
    generator
        Source of random numbers.
    """
    number = len(values)
    which = np.arange(number)
    other = deviation * generator.standard_normal(values.shape)
    height = log_likelihood(values, which) - generator.standard_exponential(number)
    angle = generator.uniform(0.0, 2 * np.pi, number)
    lowest, highest = angle - 2 * np.pi, angle.copy()
    drawn = values.copy()
    for _ in range(MOST):
        turn = angle[which, None]
        proposed = values[which] * np.cos(turn) + other[which] * np.sin(turn)
        taken = log_likelihood(proposed, which) >= height[which]
        drawn[which[taken]] = proposed[taken]
        which = which[~taken]
        if not len(which):
            break
        left = angle[which]
        lowest[which] = np.where(left < 0, left, lowest[which])
        highest[which] = np.where(left < 0, highest[which], left)
        angle[which] = generator.uniform(lowest[which], highest[which])
    return drawn
