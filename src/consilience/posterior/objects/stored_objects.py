"""The tables of kind objects: the objects of an item, their names and probabilities.

The table `styles`: how a typical annotator answers (kind objects).

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

from consilience.errors import OptionError
from consilience.posterior.stored_fit.restored import (
    draws,
    estimate,
    stored,
    stored_names,
)
from consilience.when_used import special, xr

BINDER = "binder"
_AXES = {
    "single_label": ("mean_and_spread",),
    "detection": ("detection_level",),
    "duplicate_name": ("names", "mean_and_spread"),
    "high_detection": ("block_covariate",),
}


def name_of(loss: str) -> str:
    """Return the name of the table of the partition of least loss."""
    return "objects" if loss == BINDER else f"objects_{loss}"


def objects(data: xr.DataTree, loss: str = BINDER) -> pd.DataFrame:
    """Return the objects of each item and their names, of the partition of a loss."""
    table = object_table(data, "objects")
    if loss == BINDER:
        return table
    others = [
        name.removeprefix("objects_")
        for name in stored_names(data)
        if name.startswith("objects_")
    ]
    if loss not in others:
        available = ", ".join([BINDER, *others])
        msg = f"loss is {loss!r}; this fit has the partitions that minimize {available}"
        raise OptionError(msg)
    return object_table(data, name_of(loss))


def panel(data: xr.DataTree, annotators: int) -> pd.DataFrame:
    """Return what a fresh panel of so many annotators would find of each item."""
    panels = object_table(data, "panels")
    sizes = panels["annotators"].unique()
    if annotators not in sizes:
        listed = ", ".join(str(size) for size in sorted(sizes))
        msg = (
            f"a panel of {annotators} annotators is not available; give one of {listed}"
        )
        raise OptionError(msg)
    rows = panels[panels["annotators"] == annotators]
    return rows.drop(columns="annotators").reset_index(drop=True)


def object_table(data: xr.DataTree, name: str) -> pd.DataFrame:
    """Return a table that a fit of kind objects holds, of each item."""
    kept = stored(data, name)
    if kept is None:
        msg = f"{name}: the fit is of kind {data.attrs['kind']}; it has no objects"
        raise OptionError(msg)
    return kept


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
