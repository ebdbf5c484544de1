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


def same_object(data: xr.DataTree) -> pd.DataFrame:
    """Return how probably two labels are names of one object, of each item.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Columns item, label_a, label_b, probability.

    Raises
    ------
    OptionError
        The fit is not of kind objects, or a rule that knows of no such probability.
    """
    return _stored(data, "same_object")


def ambiguity(data: xr.DataTree) -> pd.DataFrame:
    """Return what is ambiguous about each item, in nats.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Columns item; structure, the entropy of the partition: which objects; naming, the
    expected entropy of the name of the main object: which word; salience, the expected
    entropy of the main object: which is it. The last two add up to the entropy of a
    fresh annotator's main label.

    Raises
    ------
    OptionError
        The fit is not of kind objects, or a rule that knows of no ambiguity.
    """
    return _stored(data, "ambiguity")


def _stored(data: xr.DataTree, name: str) -> pd.DataFrame:
    kept = stored(data, name)
    if kept is None:
        msg = f"{name}: the fit is of kind {data.attrs['kind']}; it tells of no objects"
        raise OptionError(msg)
    return kept
