"""The state of the optimizer, for models with Dirichlet priors."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.model import Parameters


class Optimum(NamedTuple):
    """The state of the optimizer.

    Expected counts and concentrations of the parameters with Dirichlet priors, by name,
    values of those that are free numbers, and where candidates have columns the
    logarithms of prevalence and the weights.
    """

    counts: Mapping[str, Float[np.ndarray, "..."]]
    concentration: Mapping[str, Float[np.ndarray, "..."]]
    free: Parameters = {}  # noqa: RUF012 (a tuple's default; never changed)
    logit: Parameters = {}  # noqa: RUF012
