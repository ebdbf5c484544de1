"""Columns of text as codes and names, so that each name is held once however long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from consilience.when_used import xr


def category(codes: np.ndarray, names: np.ndarray | pd.Index) -> pd.Categorical:
    """Build a column of text."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))


def confusion_frame(
    first: Mapping[str, pd.Categorical],
    codes: tuple[np.ndarray, np.ndarray],
    labels: tuple[np.ndarray | pd.Index, np.ndarray | pd.Index],
    shares: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Return cells of true and given label, with bounds, behind the columns `first`."""
    value, lower, upper = shares
    return pd.DataFrame(
        {
            **first,
            "true_label": category(codes[0], labels[0]),
            "given_label": category(codes[1], labels[1]),
            "probability": value,
            "lower": lower,
            "upper": upper,
        }
    )


def names(data: xr.DataTree, dim: str) -> np.ndarray:
    """Return the names along a dimension: of annotators, true or given classes."""
    return np.asarray(data["constant_data"][dim].to_numpy())
