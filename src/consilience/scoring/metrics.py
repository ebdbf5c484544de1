"""How well posterior labels agree with gold labels, with intervals.

Every metric is a function of the items' weights. All weights one give its value;
resampling the items with replacement, all answers about an item together, gives weights
whose metrics make the interval (the item bootstrap). Bounds are quantiles of the
resampled values. The expected calibration error (ECE) alone takes the *basic*
bootstrap, 2 value - quantile, cut off at 0 and stretched to hold the value: chance
differences inside bins push it upwards, in the resamples once more than in the value,
and this bootstrap takes the push off again.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13. Davison and
Hinkley (1997), Bootstrap methods and their application, section 5.2.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.intervals import bounds
from consilience.scoring.choice_metrics import choice_metrics
from consilience.scoring.contains_metrics import contains_metrics
from consilience.scoring.objects_metrics import objects_metrics

# Weights of so many answers are held at once: 32 MiB in double precision.
_BLOCK = 2**22

Measure = Callable[[Float[np.ndarray, "R I"]], dict[str, Float[np.ndarray, " R"]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """How to score.

    Attributes
    ----------
    clip
        Log-loss takes no probability of the truth to be less than this, and for
        contains none to be nearer to 1 than this either.
    bins
        At most so many bins for the ECE, each with about as many items; items of equal
        confidence share a bin. None: as many as the data bear (see `calibration`).
    resamples
        Bootstrap resamples of the items.
    mass
        Share of the resamples between the bounds.
    """

    clip: float = 1e-3
    bins: int | None = None
    resamples: int = 1000
    mass: float = 0.9


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its bounds; NaN where it is undefined."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Score:
    """How well a fit does.

    Attributes
    ----------
    kind
        choice, contains or objects.
    items
        How many items with gold were scored.
    missing
        How many gold rows are about an item (for contains, an item and label) of which
        the fit says nothing; they are left out.
    options
        How it was scored.
    metrics
        The metrics by name.
    """

    kind: str
    items: int
    missing: int
    options: ScoreOptions
    metrics: Mapping[str, Metric]

    def to_dict(self) -> dict[str, Any]:
        """Give the score as plain dictionaries.

        Returns
        -------
        Numbers and text only, ready for JSON.
        """
        return {
            "kind": self.kind,
            "items": self.items,
            "missing": self.missing,
            **asdict(self.options),
            "metrics": {name: asdict(found) for name, found in self.metrics.items()},
        }


def score(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    *,
    kind: Literal["choice", "contains", "objects"],
    seed: int,
    options: ScoreOptions | None = None,
    items: pd.DataFrame | None = None,
) -> Score:
    """Score posterior labels against gold labels.

    Parameters
    ----------
    labels
        Columns item, label, probability, such as the table `labels` of a fit.
    gold
        Columns item, label. For choice, an item with several rows has several right
        labels, any of which will do. For contains also answer, yes or no; and
        annotator, where several experts answered: their majority is the truth. For
        objects all valid labels of each item, or answer, yes or no, of those that were
        judged; and main, true for the label of the main object, where that is known.
    kind
        choice, contains or objects.
    seed
        Of the bootstrap.
    options
        How to score; the defaults when None.
    items
        Columns item, main_label, such as the table `items` of a fit (objects, where
        gold knows the main label).

    Returns
    -------
    For all kinds log_loss, brier and ece. For choice and contains accuracy (a tie is
    split); for contains and objects precision, recall and f1; for contains auc, and
    soft_log_loss where several experts answered; for objects item_f1, jaccard and
    exact, and main_accuracy where gold knows the main label.

    Raises
    ------
    GoldError
        When no gold row is about anything in the fit, or an answer is neither yes nor
        no.
    """
    chosen = options or ScoreOptions()
    if kind == "objects":
        measure, num_items, missing = objects_metrics(
            labels, gold, chosen.clip, chosen.bins, items
        )
    else:
        build = choice_metrics if kind == "choice" else contains_metrics
        measure, num_items, missing = build(labels, gold, chosen.clip, chosen.bins)
    values = measure(np.ones((1, num_items)))
    step = max(1, _BLOCK // max(num_items, len(gold)))
    resampled = resample(measure, num_items, chosen.resamples, step, seed)
    return Score(
        kind=kind,
        items=num_items,
        missing=missing,
        options=chosen,
        metrics={
            name: interval(name, float(value[0]), resampled[name], chosen.mass)
            for name, value in values.items()
        },
    )


def resample(
    measure: Measure, num_items: int, resamples: int, step: int, seed: int
) -> dict[str, Float[np.ndarray, " R"]]:
    """Measure under the weights of a bootstrap of the items.

    Parameters
    ----------
    measure
        The metrics as a function of the items' weights.
    num_items
        Items to draw from.
    resamples
        How many times to draw.
    step
        How many weightings to hold at once; part of what fixes them.
    seed
        One seed gives one set of weights, so that what two measures say under them can
        be compared pair by pair.

    Returns
    -------
    Each metric under each weighting.
    """
    generator = np.random.default_rng(seed)
    parts = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(num_items, size=(size, num_items))
        counts = [np.bincount(row, minlength=num_items) for row in drawn]
        parts.append(measure(np.stack(counts).astype(np.float64)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(
    name: str, value: float, resampled: Float[np.ndarray, " R"], mass: float
) -> Metric:
    """Return a metric with the bounds of its bootstrap.

    Parameters
    ----------
    name
        Of the metric; that of the ECE takes the basic bootstrap.
    value
        Of the metric itself.
    resampled
        The metric of each resample.
    mass
        Share of the resamples between the bounds.
    """
    # A resample may hold no item with, say, a yes: it says nothing of the recall.
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(defined):
        return Metric(value, float("nan"), float("nan"))
    lower, upper = map(float, bounds(defined, mass))
    if name == "ece":
        lower, upper = max(0.0, 2 * value - upper), max(value, 2 * value - lower)
    return Metric(value, lower, upper)
