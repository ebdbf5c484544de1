"""Whether every number of a fit is a number."""

from __future__ import annotations

import numpy as np

from consilience.checks.verdict import Verdict, at_most
from consilience.posterior.results.labels import candidates
from consilience.when_used import xr


def finite(data: xr.DataTree) -> list[Verdict]:
    """Check that draws and probabilities are finite."""
    truth = candidates(data)
    broken = ~np.isfinite(truth.probability)
    broken &= truth.state >= 0
    count = int(np.count_nonzero(broken))
    if "posterior" in data.children:
        for variable in data["posterior"].data_vars.values():
            count += int(np.count_nonzero(~np.isfinite(variable.to_numpy())))
    return [
        at_most(
            "not_finite",
            float(count),
            0.0,
            "the fit failed numerically; fit in double precision, or take a model "
            "with stronger priors",
        )
    ]
