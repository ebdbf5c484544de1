"""Draws of Dirichlet variables as logarithms, which do not underflow."""

import numpy as np
from jaxtyping import Float

from consilience.inference.closed_form.dirichlet.expectations import total


def log_dirichlet(
    generator: np.random.Generator, concentration: Float[np.ndarray, "*batch L"]
) -> Float[np.ndarray, "*batch L"]:
    """Draw logarithms of Dirichlet vectors, those along the last axis."""
    # A gamma variable of a small shape is often less than the smallest number: it is
    # drawn of shape + 1 and taken back, as a logarithm (Marsaglia and Tsang 2000).
    logs = np.log(generator.standard_gamma(concentration + 1))
    logs -= generator.standard_exponential(concentration.shape) / concentration
    logs -= logs.max(-1, keepdims=True)
    drawn: Float[np.ndarray, "*batch L"] = logs - np.log(total(np.exp(logs)))[..., None]
    return drawn
