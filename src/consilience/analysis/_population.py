"""What a study of objects says of its items together, in shares.

All are plug-in figures: each item counts as what the fit's tables say of it, and the
intervals are of the items (item bootstrap), not of the annotators. With few annotators
for each item such shares are inflated, since a label that wins by chance is another
label: see the model's own posterior, or `human_confusion`, for what a population of
annotators would say.

Items that a study began with and did not ask about count, where `of` says that there
are such, as one object under the data set's own label.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 4.1, whose figures these
are.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.own_labels import with_own_labels
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.objects import object_counts
from consilience.responses import Responses

_BLOCK = 2**22  # draws held at once
_HALF = 0.5


def population(
    fit: Fit,
    responses: Responses,
    *,
    of: int | None = None,
    tau: float = _HALF,
    resamples: int = 1000,
    mass: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return shares of the items: with several objects, and called otherwise.

    Parameters
    ----------
    fit
        A fit of kind objects.
    responses
        What it was fitted to, with the data set's own label of each item.
    of
        How many items the study began with; None: those of the fit.
    tau
        How often an object must be named to count, where the model has such a
        threshold; the nearest that the fit holds is taken.
    resamples, seed
        Of the item bootstrap.
    mass
        Share of the resamples between the bounds.

    Returns
    -------
    A row for each statistic: statistic, value, lower, upper, items (its denominator).
    `several_objects` and `three_objects` (or more) of all items; `mean_objects`;
    `other_main_label` (the main label is not the data set's) of the items of the fit,
    of those with several objects (`_several`) and with one (`_single`).

    Raises
    ------
    OptionError
        The fit is of another kind, no item has a label of the data set, or `of` is
        less than the items of the fit.
    """
    items = with_own_labels(fit, responses)
    answered = items[items["responses"] > 0]
    whole = len(answered) if of is None else of
    if whole < len(answered):
        msg = f"of={of} is less than the {len(answered):,} items of the fit; mend it"
        raise OptionError(msg)
    counts = _counts(fit, tau).reindex(answered["item"]).fillna(0.0)
    number = counts.columns.to_numpy(dtype=float)
    probability = counts.to_numpy()
    several, three = (probability @ (number >= least) for least in (2, 3))
    mean = probability @ number
    # Several objects by the point that the items' table tells.
    many = answered["objects"].to_numpy() > 1
    asked = answered["dataset_label"].notna() & answered["main_label"].notna()
    other = asked & (answered["main_label"] != answered["dataset_label"])
    parts = {
        "several_objects": (several, None),
        "three_objects": (three, None),
        "mean_objects": (mean - 1, None),
        "other_main_label": (other, asked),
        "other_main_label_several": (other & many, asked & many),
        "other_main_label_single": (other & ~many, asked & ~many),
    }
    tops = np.stack([np.asarray(top, float) for top, _ in parts.values()], 1)
    bottoms = np.stack(
        [
            np.ones(len(answered)) if low is None else np.asarray(low, float)
            for _, low in parts.values()
        ],
        1,
    )
    outside = np.array([low is None for _, low in parts.values()], float)
    shift = np.array([float(name == "mean_objects") for name in parts])

    def ratio(weights: Float[np.ndarray, "R I"]) -> Float[np.ndarray, "R P"]:
        rest = (whole - weights.sum(1))[:, None] * outside
        below = weights @ bottoms + rest
        with np.errstate(divide="ignore", invalid="ignore"):
            value: Float[np.ndarray, "R P"] = (weights @ tops) / below + shift
        return value

    value = ratio(np.ones((1, len(answered))))[0]
    drawn = _resampled(ratio, len(answered), whole, resamples, seed)
    lower, upper = np.nanquantile(drawn, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    below = bottoms.sum(0) + outside * (whole - len(answered))
    return pd.DataFrame(
        {
            "statistic": list(parts),
            "value": value,
            "lower": lower,
            "upper": upper,
            "items": below.astype(np.int64),
        }
    )


def _counts(fit: Fit, tau: float) -> pd.DataFrame:
    """Return P(objects), items by numbers of objects, at the nearest threshold."""
    table = object_counts(fit.data).astype({"item": "str"})
    taus = table["tau"].dropna().unique()
    if len(taus):
        table = table[table["tau"] == taus[np.abs(taus - tau).argmin()]]
    return table.pivot_table(
        index="item", columns="objects", values="probability", fill_value=0.0
    )


def _resampled(
    ratio: Callable[[Float[np.ndarray, "R I"]], Float[np.ndarray, "R P"]],
    number: int,
    whole: int,
    resamples: int,
    seed: int,
) -> Float[np.ndarray, "R P"]:
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(whole, 1))
    found = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn: Int[np.ndarray, "r i"] = generator.integers(whole, size=(size, whole))
        weights = [np.bincount(row, minlength=whole)[:number] for row in drawn]
        found.append(ratio(np.stack(weights).astype(float)))
    return np.concatenate(found)
