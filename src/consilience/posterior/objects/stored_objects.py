"""The tables of kind objects: the objects of an item, their names and probabilities."""

from __future__ import annotations

import pandas as pd

from consilience.errors import OptionError
from consilience.posterior.stored_fit.stored import stored, stored_names
from consilience.when_used import xr

BINDER = "binder"


def name_of(loss: str) -> str:
    """Return the name of the table of the partition of least loss."""
    return "objects" if loss == BINDER else f"objects_{loss}"


def objects(data: xr.DataTree, loss: str = BINDER) -> pd.DataFrame:
    """Objects of each item and what they are called.

    Parameters
    ----------
    data
        A fit.
    loss
        The point estimate of the partition minimizes the expected loss: binder, or
        vi.

    Returns
    -------
    Columns item, object, label, share, right_name, probability, main_probability.

    Raises
    ------
    OptionError
        The fit is not of kind objects, or there is no such loss.
    """
    table = _stored(data, "objects")
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
    return _stored(data, name_of(loss))


def object_counts(data: xr.DataTree) -> pd.DataFrame:
    """Return how probable each number of objects is, of each item."""
    return _stored(data, "object_counts")


def same_object(data: xr.DataTree) -> pd.DataFrame:
    """Return how probably two labels are names of one object, of each item."""
    return _stored(data, "same_object")


def ambiguity(data: xr.DataTree) -> pd.DataFrame:
    """Return what is ambiguous about each item, in nats."""
    return _stored(data, "ambiguity")


def panels(data: xr.DataTree) -> pd.DataFrame:
    """Return what fresh panels of several sizes would find of each item."""
    return _stored(data, "panels")


def panel(data: xr.DataTree, annotators: int) -> pd.DataFrame:
    """Return what a fresh panel of so many annotators would find of each item."""
    panels = _stored(data, "panels")
    sizes = panels["annotators"].unique()
    if annotators not in sizes:
        listed = ", ".join(str(size) for size in sorted(sizes))
        msg = (
            f"a panel of {annotators} annotators is not available; give one of {listed}"
        )
        raise OptionError(msg)
    rows = panels[panels["annotators"] == annotators]
    return rows.drop(columns="annotators").reset_index(drop=True)


def _stored(data: xr.DataTree, name: str) -> pd.DataFrame:
    kept = stored(data, name)
    if kept is None:
        msg = f"{name}: the fit is of kind {data.attrs['kind']}; it has no objects"
        raise OptionError(msg)
    return kept
