"""Filtering: the labels that a threshold on answers keeps and loses.

Data sets were made by keeping what a share of the annotators agreed to. What such a
rule does is estimated by a fit: of the pairs of item and label that it keeps, how many
hold what they are kept for, and of all that do, how many it loses.

References
----------
Recht, Roelofs, Schmidt and Shankar (2019), section 3, on selection frequencies.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.errors import OptionError
from consilience.posterior import Fit

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
ROUNDING = 1e-9  # a share of 3 in 5 is at least .6


def filtering(
    fit: Fit,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    by: Literal["votes", "probability"] = "votes",
) -> pd.DataFrame:
    """Compare thresholds by the pairs of item and label that they keep and lose.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains.
    thresholds : sequence of float
        A pair is kept if `by` is at least the threshold.
    by : {"votes", "probability"}, default "votes"
        "votes" is the share of answers that are yes, where *maybe* counts half;
        "probability" is the posterior probability that the label is present.

    Returns
    -------
    pandas.DataFrame
        One row per threshold: threshold, kept (pairs), kept_share, wrong (expected
        share of the kept pairs whose label is absent), wrong_lower, wrong_upper, lost
        (expected share of the present labels that are not kept), lost_lower and
        lost_upper. The intervals have the probability of the fit's intervals, with
        the truths of pairs independent given the fit. NaN where nothing is kept or
        nothing is present.

    Raises
    ------
    OptionError
        If the fit is of another kind, or a threshold is not above 0 and at most 1.

    See Also
    --------
    decide : Choose the threshold that minimizes a loss.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> table = cs.filtering(fit, [0.3, 0.7])
    >>> table[["threshold", "kept", "wrong", "lost"]].round(2)
       threshold  kept  wrong  lost
    0        0.3    14   0.34  0.11
    1        0.7     7   0.14  0.42
    """
    if fit.data.attrs["kind"] != "contains":
        msg = (
            f"the fit is of kind {fit.data.attrs['kind']}; thresholds filter answers "
            "about one label at a time (kind contains)"
        )
        raise OptionError(msg)
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            msg = f"threshold {threshold} is not above 0 and at most 1"
            raise OptionError(msg)
    present = fit.labels()["probability"].to_numpy(dtype=float)
    value = vote_shares(fit) if by == "votes" else present
    reach = NormalDist().inv_cdf((1 + fit.data.attrs["prob"]) / 2)
    rows = [
        {"threshold": threshold, **_row(value >= threshold - ROUNDING, present, reach)}
        for threshold in thresholds
    ]
    return pd.DataFrame(rows)


def vote_shares(fit: Fit) -> Float[np.ndarray, " U"]:
    """Return the share of yes among the answers about each pair; maybe counts half."""
    observed, constant = fit.data["observed_data"], fit.data["constant_data"]
    words = list(map(str, constant["given_class"].to_numpy()))
    weight = np.array([{"no": 0.0, "maybe": 0.5, "yes": 1.0}[word] for word in words])
    unit, n = observed["item"].to_numpy(), observed["n"].to_numpy()
    units = constant.sizes["item"]
    yes = np.bincount(unit, n * weight[observed["answer"].to_numpy()], units)
    share: Float[np.ndarray, " U"] = yes / np.maximum(np.bincount(unit, n, units), 1)
    return share


def _row(
    kept: Bool[np.ndarray, " U"], present: Float[np.ndarray, " U"], reach: float
) -> dict[str, float | int]:
    doubt = present * (1 - present)
    number = int(kept.sum())
    wrong, wrong_error = np.nan, np.nan
    if number:
        wrong = (1 - present[kept]).sum() / number
        wrong_error = np.sqrt(doubt[kept].sum()) / number
    lost, retained = present[~kept].sum(), present[kept].sum()
    share, error = np.nan, np.nan
    if lost + retained > 0:
        share = lost / (lost + retained)
        # The delta method, lost and retained being independent.
        spread = retained**2 * doubt[~kept].sum() + lost**2 * doubt[kept].sum()
        error = np.sqrt(spread) / (lost + retained) ** 2
    return {
        "kept": number,
        "kept_share": number / len(kept),
        **_with_bounds("wrong", wrong, reach * wrong_error),
        **_with_bounds("lost", share, reach * error),
    }


def _with_bounds(name: str, value: float, reach: float) -> dict[str, float]:
    lower, upper = np.clip([value - reach, value + reach], 0, 1)
    return {name: value, f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
