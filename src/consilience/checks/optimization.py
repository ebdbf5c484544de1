"""Whether an iterative fit has arrived, and at one place.

EM and variational Bayes ascend: their objective decreases by rounding only. They find
the top of the hill they start on. Where two of several starts end at the greatest
height of all, it is likely the highest; where only one does, there may be higher ones.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_most, too_little
from consilience.posterior.truth import candidates
from consilience.when_used import xr

# Sums in double precision over 1e8 responses keep some nine figures.
_ROUNDING = 1e-9
# An answer among L labels is worth log L >= .69 nats; starts closer than about a
# hundredth of that explain the answers equally well.
_SPREAD = 0.01


def optimization(data: xr.DataTree) -> list[Verdict]:
    """Check an iterative fit."""
    if "optimization" not in data.children:
        return []
    group = data["optimization"].to_dataset()
    objective = group["objective"].transpose("restart", "sweep").to_numpy()
    arrived = group["converged"].to_numpy()[int(group["chosen"])]
    how = "the fit was still improving when it stopped; allow more sweeps"
    verdicts = [at_most("stopped_early", float(not arrived), 0.0, how)]
    if data.attrs["engine"] != "svi":
        # After a start has ended its row is NaN.
        fall = -np.diff(objective, axis=1) / np.maximum(1.0, np.abs(objective[:, 1:]))
        worst = max(0.0, float(np.max(fall, initial=0.0, where=~np.isnan(fall))))
        # An engine that sums in single precision says how far its sums are exact.
        rounding = float(group.attrs.get("rounding", _ROUNDING))
        how = (
            "the objective decreased, which exact updates cannot do; fit in double "
            "precision, and report a bug if it still decreases"
        )
        verdicts.append(at_most("objective_fall", worst, rounding, how))
    num_responses = int(data["constant_data"]["num_responses"].sum())
    return [*verdicts, _spread(objective, num_responses)]


def _spread(objective: Float[np.ndarray, "R T"], num_responses: int) -> Verdict:
    """Judge how far the second-best start ended from the best, by answer."""
    if len(objective) < 2:
        how = (
            "one start cannot show whether there are other optima; use several restarts"
        )
        return too_little("objective_spread", _SPREAD, how)
    ends = (~np.isnan(objective)).sum(axis=1) - 1
    final = np.sort(objective[np.arange(len(objective)), ends])
    apart = float(final[-1] - final[-2]) / max(1, num_responses)
    how = (
        "no other start ended where the best one did, so there may be a better "
        "optimum; use more restarts, or a model with fewer parameters per annotator"
    )
    return at_most("objective_spread", apart, _SPREAD, how)


def finite(data: xr.DataTree) -> list[Verdict]:
    """Check that draws and probabilities are finite."""
    truth = candidates(data)
    broken = ~np.isfinite(truth.probability) & (truth.state >= 0)
    count = int(np.count_nonzero(broken))
    if "posterior" in data.children:
        for variable in data["posterior"].data_vars.values():
            count += int(np.count_nonzero(~np.isfinite(variable.to_numpy())))
    how = (
        "the fit failed numerically; fit in double precision, or take a model with "
        "stronger priors"
    )
    return [at_most("not_finite", float(count), 0.0, how)]
