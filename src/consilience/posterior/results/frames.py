"""Columns of text as codes and names, so that each name is held once however long."""

from __future__ import annotations

import numpy as np
import pandas as pd

from consilience.when_used import xr


def category(codes: np.ndarray, names: np.ndarray | pd.Index) -> pd.Categorical:
    """Build a column of text."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))


def names(data: xr.DataTree, dim: str) -> np.ndarray:
    """Read the names along a dimension of a fit: of annotators, true or given classes.

    Parameters
    ----------
    data
        A fit.
    dim
        `annotator`, `true_class` or `given_class`.

    Returns
    -------
    The names, in the order of the dimension.
    """
    return np.asarray(data["constant_data"][dim].to_numpy())
