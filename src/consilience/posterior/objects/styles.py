"""The table `styles`: how a typical annotator answers (kind objects).

Some responses name one object alone, others list all that was detected. Of the typical
item: the share of single-label responses, the probability that an exhaustive response
detects an object that is not the main one (averaged over objects of high and of low
detection), and that it gives a further name of an object that is named already, where
names are rivals and where they are synonyms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.polynomial.hermite_e import hermegauss

from consilience.posterior.stored_fit.draws import draws, estimate
from consilience.when_used import special, xr

_AXES = {
    "single_label": ("mean_and_spread",),
    "detection": ("detection_level",),
    "duplicate_name": ("names", "mean_and_spread"),
    "high_detection": ("block_covariate",),
}


def styles(data: xr.DataTree) -> pd.DataFrame:
    """Return how people in general answer."""
    by_name = {name: draws(data, name, axes) for name, axes in _AXES.items()}
    parameters = {name: value for name, value in by_name.items() if value is not None}
    if len(parameters) < len(_AXES):
        nothing = pd.DataFrame(columns=["share", "lower", "upper"], dtype=float)
        nothing.insert(0, "style", pd.Series(dtype="str"))
        return nothing
    low = parameters["detection"][:, 0]
    high = low + np.exp(parameters["detection"][:, 1])
    share = special.expit(parameters["high_detection"][:, 0])
    drawn = {
        "single_label": _single_label_rate(
            parameters["single_label"], pulled="spreads" in data["posterior"]
        ),
        "recall": (1 - share) * special.expit(low) + share * special.expit(high),
        "rival_name": special.expit(parameters["duplicate_name"][:, 0, 0]),
        "synonym": special.expit(parameters["duplicate_name"][:, 1, 0]),
    }
    interval = estimate(np.stack(list(drawn.values()), 1), float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "style": pd.Series(list(drawn), dtype="str"),
            "share": interval.mean,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    )


def _single_label_rate(
    single_label: Float[np.ndarray, "S 2"], *, pulled: bool
) -> Float[np.ndarray, " S"]:
    """Return the share of single-label responses: a Beta mean, or one over items."""
    if not pulled:
        mean: Float[np.ndarray, " S"] = special.expit(single_label[:, 0])
        return mean
    node, weight = hermegauss(31)
    odds = single_label[:, :1] + np.exp(single_label[:, 1:]) * node
    whole: Float[np.ndarray, " S"] = special.expit(odds) @ weight / weight.sum()
    return whole
