"""The effects of candidates' columns, and the information that these carry.

Candidates may have columns of numbers, such as the scores of classifiers, whose weights
are learned. A weight is the change in log-odds for one standard deviation of the
column, a slope that for one unit of it: of the log of a probability, a slope of one
would take the classifier at its word. The relative information of all columns together
is what they contain about the truth over that of one answer, of an annotator drawn at
random.
"""

from __future__ import annotations

import pandas as pd

from consilience.posterior.stored_fit.draws import draws, estimate
from consilience.when_used import xr

_BOUNDS = ("lower", "upper")


def covariate_effects(data: xr.DataTree) -> pd.DataFrame:
    """Return the weight of each column of the candidates."""
    weight = draws(data, "weight", ("covariate",))
    if weight is None:
        nothing = pd.DataFrame(columns=["weight", *_BOUNDS, "slope"], dtype=float)
        nothing.insert(0, "column", pd.Series(dtype="str"))
        return nothing
    interval = estimate(weight, float(data.attrs["prob"]))
    names = [str(name) for name in data["posterior"]["covariate"].to_numpy()]
    spread = data["constant_data"]["covariate_spread"].to_numpy()
    return pd.DataFrame(
        {
            "column": pd.Series(names, dtype="str"),
            "weight": interval.mean,
            "lower": interval.lower,
            "upper": interval.upper,
            "slope": interval.mean / spread,
        }
    )


def relative_information(data: xr.DataTree) -> pd.DataFrame:
    """Return the information of all covariates, in answers of an annotator."""
    drawn = draws(data, "relative_information", ())
    if drawn is None:
        return pd.DataFrame(columns=["relative_information", *_BOUNDS], dtype=float)
    interval = estimate(drawn[:, None], float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "relative_information": interval.mean,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    )
