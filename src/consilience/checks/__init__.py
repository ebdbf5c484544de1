"""Checks at the end of a fit: each gives verdicts, none prints or raises."""

import xarray as xr

from consilience.checks.finite import finite
from consilience.checks.independence import independence
from consilience.checks.label_switching import label_switching
from consilience.checks.optimization import optimization
from consilience.checks.sampling import sampling
from consilience.checks.verdict import Verdict, as_dataset

__all__ = ["Verdict", "all_checks", "as_dataset"]


def all_checks(data: xr.DataTree) -> list[Verdict]:
    """Run every check that applies to a fit.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    The verdicts, in the order in which to read them.
    """
    return [
        *finite(data),
        *sampling(data),
        *optimization(data),
        *label_switching(data),
        *independence(data),
    ]
