"""Tables that a fit holds as they are, because nothing in it implies them.

A rule such as the paper's own has no draws from which tables follow: it states them.
They lie in the tree under `tables`, a group for each; a column of text is held as
codes, with its names beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.posterior.results.frames import category
from consilience.when_used import xr

_GROUP = "tables"
KEPT_PROB = "kept_prob"  # of bounds that have no draws, where others have another
JOINT_DRAWS = "joint_draws"  # the group of joint draws of objects


def with_tables(data: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> xr.DataTree:
    """Return the tree with tables in it."""
    groups = {path: node.to_dataset() for path, node in data.subtree_with_keys}
    added = {f"{_GROUP}/{name}": _dataset(frame) for name, frame in tables.items()}
    return xr.DataTree.from_dict({**groups, **added})


def stored_names(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that the fit holds as they are."""
    return tuple(data[_GROUP].children) if _GROUP in data.children else ()


def stored(data: xr.DataTree, name: str) -> pd.DataFrame | None:
    """Return a table that the fit holds as it is; None where it holds no such."""
    if name not in stored_names(data):
        return None
    group = data[_GROUP][name]
    columns: dict[str, np.ndarray | pd.Categorical] = {}
    for column in group.attrs["columns"].split():
        values = group[column].to_numpy()
        if f"{column}_names" in group:
            columns[column] = category(values, group[f"{column}_names"].to_numpy())
        else:
            columns[column] = values
    if "lower" in columns and np.isfinite(columns["lower"]).any():
        check_kept(data, f"the table {name}")
    return pd.DataFrame(columns)


def check_kept(data: xr.DataTree, what: str) -> None:
    """Refuse bounds at another probability where there are no draws."""
    kept = data.attrs.get(KEPT_PROB)
    if kept is not None and kept != data.attrs["prob"]:
        msg = (
            f"{what}: the fit keeps no draws of it, only bounds, whose probability is "
            f"{kept:g}: use that, or fit again with another"
        )
        raise OptionError(msg)


def _dataset(frame: pd.DataFrame) -> xr.Dataset:
    variables: dict[str, tuple[str, np.ndarray]] = {}
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            names = values.cat.categories.to_numpy(dtype=object)
            variables[column] = ("row", values.cat.codes.to_numpy(dtype=np.int32))
            variables[f"{column}_names"] = (f"{column}_name", names)
        else:
            variables[column] = ("row", values.to_numpy())
    return xr.Dataset(variables, attrs={"columns": " ".join(frame.columns)})
