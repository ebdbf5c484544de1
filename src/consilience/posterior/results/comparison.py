"""The table `comparison`: the models that were compared, the best first.

elpd is the mean log probability of an answer given all others, in nats; `weight` is the
share of a model in the mixture that predicts answers best, and `best` the probability
that it alone predicts best, were there more items like these.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from consilience.when_used import xr

COLUMNS = (
    "elpd",
    "se",
    "difference",
    "difference_se",
    "weight",
    "best",
    "seconds",
)


def comparison(data: xr.DataTree) -> pd.DataFrame:
    """Models that were compared for the model "auto"."""
    if "comparison" not in data.children:
        none = {name: np.zeros(0) for name in COLUMNS}
        return pd.DataFrame({"model": pd.Series([], dtype="str"), **none})
    group = data["comparison"]
    names = pd.Series(group["model"].to_numpy(), dtype="str")
    columns = {name: group[name].to_numpy().astype(float) for name in COLUMNS}
    return pd.DataFrame({"model": names, **columns})


def as_dataset(table: pd.DataFrame) -> xr.Dataset:
    """Lay the table out as the group `comparison` of a fit."""
    names = table["model"].to_numpy(dtype=object)
    values = {name: table[name].to_numpy() for name in COLUMNS}
    return xr.Dataset(
        {
            name: ("candidate_model", column)
            for name, column in {"model": names, **values}.items()
        }
    )
