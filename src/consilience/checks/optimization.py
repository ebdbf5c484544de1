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
    verdicts = [_stopped_early(group)]
    if data.attrs["engine"] != "svi":
        # An engine that sums in single precision says how far its sums are exact.
        rounding = float(group.attrs.get("rounding", _ROUNDING))
        verdicts.append(_fall(objective, rounding))
    num_responses = int(data["constant_data"]["num_responses"].sum())
    verdicts.append(_range(objective, num_responses))
    return verdicts


def _stopped_early(group: xr.Dataset) -> Verdict:
    arrived = bool(group["converged"].to_numpy()[int(group["chosen"])])
    return at_most(
        "stopped_early",
        float(not arrived),
        0.0,
        "the fit was still improving when it stopped; allow more sweeps",
    )


def _fall(objective: Float[np.ndarray, "R T"], rounding: float) -> Verdict:
    size = np.maximum(1.0, np.abs(objective[:, 1:]))
    fall = -np.diff(objective, axis=1) / size
    # After a start has ended its row is NaN.
    worst = max(0.0, float(np.max(fall, initial=0.0, where=~np.isnan(fall))))
    return at_most(
        "objective_fall",
        worst,
        rounding,
        "the objective decreased, which exact updates cannot do; fit in double "
        "precision, "
        "and report a bug if it still decreases",
    )


def _range(objective: Float[np.ndarray, "R T"], num_responses: int) -> Verdict:
    if len(objective) < 2:
        return too_little(
            "objective_spread",
            _SPREAD,
            "one start cannot show whether there are other optima; use several "
            "restarts",
        )
    ends = (~np.isnan(objective)).sum(axis=1) - 1
    final = np.sort(objective[np.arange(len(objective)), ends])
    return at_most(
        "objective_spread",
        float(final[-1] - final[-2]) / max(1, num_responses),
        _SPREAD,
        "no other start ended where the best one did, so there may be a better "
        "optimum; use more restarts, or a model with fewer parameters per annotator",
    )


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
