r"""Differences of methods from one of them, paired by item.

In the mean over S sets there are two standard errors: `se` takes the sets as given,
:math:`\sqrt{\sum_s \mathrm{se}_s^2} / S`; `se_sets` takes them as drawn from the sets
there could be, :math:`\operatorname{sd}(d_1, \dots, d_S) / \sqrt{S}`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from consilience.benchmark.measured import METRICS, Measured, Protocol, paired
from consilience.intervals import bounds

MEAN = "mean"


type Table = Mapping[tuple[str, str], Measured | None]


def sets_with_metric(
    measured: Table, order: Sequence[str], method: str, metric: str
) -> dict[str, Measured]:
    """Return a method's sets on which it has the metric."""
    by_set = {name: measured.get((name, method)) for name in order}
    return {name: one for name, one in by_set.items() if one and metric in one.values}


def differences(
    measured: Table,
    order: Sequence[str],
    names: Sequence[str],
    reference: str,
    protocol: Protocol,
) -> list[dict[str, object]]:
    """Return the differences of all methods from one, by set and in the mean."""
    rows: list[dict[str, object]] = []
    for method in names:
        if method == reference:
            continue
        for metric in METRICS:
            ours = sets_with_metric(measured, order, reference, metric)
            theirs = sets_with_metric(measured, order, method, metric)
            both = [name for name in order if name in ours and name in theirs]
            pairs = [paired(theirs[name], ours[name], metric) for name in both]
            head = {"method": method, "reference": reference, "metric": metric}
            for name, (difference, error, resampled) in zip(both, pairs, strict=True):
                rows.append(
                    {
                        **head,
                        "set": name,
                        "difference": difference,
                        "se": error,
                        "se_sets": float("nan"),
                        **_difference_row(resampled, protocol.prob),
                        "sets": 1,
                    }
                )
            if not pairs:
                continue
            gaps = np.array([pair[0] for pair in pairs])
            errors = np.array([pair[1] for pair in pairs])
            several = len(gaps) > 1
            rows.append(
                {
                    **head,
                    "set": MEAN,
                    "difference": float(gaps.mean()),
                    "se": float(np.sqrt((errors**2).sum()) / len(gaps)),
                    "se_sets": (
                        float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
                        if several
                        else float("nan")
                    ),
                    **_difference_row(
                        np.mean([pair[2] for pair in pairs], 0), protocol.prob
                    ),
                    "sets": len(gaps),
                }
            )
    return rows


def _difference_row(
    resampled: Float[np.ndarray, " R"], prob: float
) -> dict[str, float]:
    lower, upper = bounds(resampled, prob)
    return {"lower": float(lower), "upper": float(upper)}
