r"""One method on one set: its metrics, what each item adds, and the bootstrap's.

Every method is measured under the same bootstrap of a set's items, so that a difference
of two methods is free of the luck that they share. The standard error of a difference
is that of the mean of the items' differences, :math:`\operatorname{sd}(d_1, \dots, d_I)
/ \sqrt{I}` (for the ECE, which is not a mean over items, the spread of the bootstrap's
differences).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.scoring.choice_metrics import item_scores
from consilience.scoring.metrics import resample

METRICS = ("accuracy", "log_loss", "log_loss_1e-3", "brier", "ece")
# A method that is sure of a wrong label loses 23 nats here, as in crowd-kit's own code,
# and 7 there: between the two lies what one thinks such a mistake costs.
CLIPS: Mapping[str, float] = {"log_loss": 1e-10, "log_loss_1e-3": 1e-3}
_BLOCK = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How to compare."""

    seed: int = 0
    resamples: int = 1000
    prob: float = 0.9
    bins: int | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One method on one set."""

    values: Mapping[str, float]
    by_item: Mapping[str, Float[np.ndarray, " I"]]
    resampled: Mapping[str, Float[np.ndarray, " R"]]


def measure(
    table: pd.DataFrame,
    name: str,
    gold: pd.DataFrame,
    metrics: Sequence[str],
    protocol: Protocol,
) -> Measured:
    """Measure what a method says of a set."""
    scores = item_scores(table, gold, protocol.bins)
    by_item = {
        "accuracy": scores.right,
        **{
            metric: -np.log(np.maximum(scores.truth, clip))
            for metric, clip in CLIPS.items()
        },
        "brier": scores.brier,
    }
    by_item = {name: column for name, column in by_item.items() if name in metrics}
    columns = np.column_stack(list(by_item.values()))

    def weighted_metrics(
        weights: Float[np.ndarray, "R I"],
    ) -> dict[str, Float[np.ndarray, " R"]]:
        total = weights.sum(axis=1)
        means = weights @ columns / total[:, None]
        values = dict(zip(by_item, means.T, strict=True))
        if "ece" in metrics:
            values["ece"] = np.abs(weights @ scores.gaps).sum(axis=1) / total
        return values

    num_items = len(columns)
    step = max(1, _BLOCK // num_items)
    seed = protocol.seed + zlib.crc32(name.encode())
    value = weighted_metrics(np.ones((1, num_items)))
    return Measured(
        values={name: float(one[0]) for name, one in value.items()},
        by_item=by_item,
        resampled=resample(weighted_metrics, num_items, protocol.resamples, step, seed),
    )


def paired(
    one: Measured, other: Measured, metric: str
) -> tuple[float, float, Float[np.ndarray, " R"]]:
    """Return the first's metric less the second's, paired by item."""
    resampled = np.asarray(one.resampled[metric]) - np.asarray(other.resampled[metric])
    difference = one.values[metric] - other.values[metric]
    if metric not in one.by_item:
        return difference, float(resampled.std(ddof=1)), resampled
    gaps = np.asarray(one.by_item[metric]) - np.asarray(other.by_item[metric])
    error = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
    return difference, float(error), resampled
