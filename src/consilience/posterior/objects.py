"""The tables `objects` and `object_counts`: what an item holds, under which names."""

import pandas as pd
import xarray as xr

from consilience.errors import OptionError
from consilience.posterior.stored import stored


def objects(data: xr.DataTree) -> pd.DataFrame:
    """Objects of each item and what they are called.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Columns item, object, label, share, probability, main_probability.

    Raises
    ------
    OptionError
        The fit is not of kind objects.
    """
    return _stored(data, "objects")


def object_counts(data: xr.DataTree) -> pd.DataFrame:
    """Return how probable each number of objects is, of each item.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Columns item, tau, objects, probability.

    Raises
    ------
    OptionError
        The fit is not of kind objects.
    """
    return _stored(data, "object_counts")


def _stored(data: xr.DataTree, name: str) -> pd.DataFrame:
    kept = stored(data, name)
    if kept is None:
        msg = f"{name}: the fit is of kind {data.attrs['kind']}; it tells of no objects"
        raise OptionError(msg)
    return kept
