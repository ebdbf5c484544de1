"""The table of coefficients: value, two sorts of interval, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.reliability.coefficients import chance, conger, pairs
from consilience.analysis.reliability.coefficients.chance import Estimate
from consilience.analysis.reliability.coefficients.estimates import (
    Study,
    StudySums,
    cohen,
    estimate_all,
)
from consilience.analysis.reliability.coefficients.interval import (
    NAN,
    from_error,
    from_resamples,
    standard_error,
)

NAMES = (
    "percent",
    "cohen",
    "scott",
    "fleiss",
    "conger",
    "brennan_prediger",
    "gwet",
    "krippendorff",
)

# Scott's pi is Fleiss's kappa of two.
_AS = {"scott": "fleiss"}
_UNDEFINED: Mapping[str, float] = dict.fromkeys(
    ("value", "lower", "upper", "se", "se_lower", "se_upper", "observed", "expected"),
    NAN,
)


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """A coefficient and, where a variance is published, its parts by item.

    The published variances of the coefficients for two, Cohen's and Scott's, are those
    of large samples.
    """

    estimate: Estimate
    parts: Float[np.ndarray, " M"] | None
    item: Int[np.ndarray, " M"]
    large_sample: bool = False


def coefficient_table(
    coefficients: Mapping[str, Coefficient],
    drawn: Mapping[str, Float[np.ndarray, " R"]],
    why: Mapping[str, str],
    prob: float,
) -> pd.DataFrame:
    """Return one row per coefficient."""
    rows = []
    for name in NAMES:
        reason = why.get(name) or ("" if name == "percent" else why.get("all", ""))
        if not reason and name not in coefficients:
            reason = "too many pairs of answers to be compared"
        row = (
            _UNDEFINED
            if reason
            else _row(coefficients[name], drawn.get(_AS.get(name, name)), prob)
        )
        if not reason and np.isnan(row["value"]):
            row, reason = _UNDEFINED, "answers agree by chance alone"
        rows.append({"coefficient": name, **row, "reason": reason})
    return pd.DataFrame(rows)


def estimate_coefficients(study: Study, sums: StudySums) -> dict[str, Coefficient]:
    """Estimate every coefficient that has sums, with its parts."""
    whole, ratings, counts = np.ones((1, 1)), study.ratings, study.counts
    values = estimate_all(sums, whole)
    # What is not defined gives parts that are not, either.
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = dict(chance.influences(counts, study.similarity, values))
        if sums.margins is not None:
            parts["conger"] = conger.influence(
                sums.margins, ratings, counts, values["conger"]
            )
    coefficients = {
        name: Coefficient(value, parts.get(name), ratings.item)
        for name, value in values.items()
    }
    paired = counts.paired > 0
    # Krippendorff leaves questions with one answer out altogether. No variance is
    # published for his distances between ranks, which are estimated themselves.
    by_rank = study.by_rank
    coefficients["krippendorff"] = Coefficient(
        values["krippendorff"],
        None if by_rank else parts["krippendorff"][paired],
        ratings.item[paired],
    )
    coefficients["scott"] = replace(coefficients["fleiss"], large_sample=True)
    kappas = cohen(sums, whole)
    if sums.meetings is not None and kappas is not None:
        weight = kappas.weight[0] / max(kappas.weight[0].sum(), 1e-300)
        coefficients["cohen"] = Coefficient(
            Estimate(
                (kappas.observed * weight).sum(axis=1),
                (kappas.expected * weight).sum(axis=1),
                kappas.mean,
            ),
            pairs.influence(sums.meetings, kappas)[1],
            ratings.item[sums.meetings.question],
            large_sample=True,
        )
    return coefficients


def _row(
    coefficient: Coefficient, drawn: Float[np.ndarray, " R"] | None, prob: float
) -> Mapping[str, float]:
    """Value and bounds of one coefficient."""
    value = coefficient.estimate.value[:1]
    lower, upper = (NAN, NAN) if drawn is None else from_resamples(drawn, prob)
    error, items = NAN, 0
    if coefficient.parts is not None:
        error, items = standard_error(
            coefficient.parts, coefficient.item, large_sample=coefficient.large_sample
        )
    bounds = from_error(value, np.array([error]), np.array([float(items)]), prob)
    return {
        "value": float(value[0]),
        "lower": lower,
        "upper": upper,
        "se": error,
        "se_lower": float(bounds[0][0]),
        "se_upper": float(bounds[1][0]),
        "observed": float(coefficient.estimate.observed[0]),
        "expected": float(coefficient.estimate.expected[0]),
    }
