r"""By how much intervals of annotators are wider since errors are correlated.

The truth that annotators are measured by is inferred from their answers. With n answers
of an item whose errors correlate by :math:`\rho`, variances grow by the design effect
:math:`1 + (n - 1) \rho` (Kish 1965, section 5.4), here with the residual correlation
shrunk towards what is usual across data sets, and averaged over the items that an
annotator answered. Bounds move away from the estimate by its root, in log-odds.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from consilience.intervals import move_bound
from consilience.posterior.stored_fit.restored import Estimate
from consilience.when_used import xr


def annotator_design_effect(data: xr.DataTree) -> Float[np.ndarray, " J"]:
    """Return the design effect of each annotator; one where nothing is correlated."""
    constant = data["constant_data"]
    annotators = constant.sizes["annotator"]
    correlation = float(data["truth"].attrs.get("residual_shrunk", 0.0))
    if not correlation > 0:
        return np.ones(annotators)
    observed = data["observed_data"]
    others = constant["num_responses"].to_numpy()[observed["item"].to_numpy()] - 1.0
    who, n = observed["annotator"].to_numpy(), observed["n"].to_numpy()
    total = np.bincount(who, n * np.maximum(others, 0.0), annotators)
    answers = np.maximum(np.bincount(who, n, annotators), 1)
    return 1 + correlation * total / answers


def widen(
    estimate: Estimate, design_effect: Float[np.ndarray, "#*shape"] | float
) -> Estimate:
    """Return an estimate of probabilities with bounds as of fewer answers."""
    if np.all(np.asarray(design_effect) == 1):
        return estimate
    factor = np.broadcast_to(np.sqrt(design_effect), estimate.mean.shape)
    lower, upper = (
        move_bound(bound, estimate.mean, estimate.mean, factor)
        for bound in (estimate.lower, estimate.upper)
    )
    return Estimate(mean=estimate.mean, lower=lower, upper=upper)
