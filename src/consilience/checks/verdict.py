"""A verdict: one figure of a fit, its limit, and how to mend the fit when it fails.

A check never raises and never prints: a bad fit is still a result, and its tables say
that it is bad. A figure that could not be assessed is NaN, passes, and its remedy says
how to assess it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

# What stands in the remedy of a verdict that asks for nothing.
_NOTHING = "nothing to mend"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's finding.

    Attributes
    ----------
    name
        What was checked.
    value
        The figure found; NaN when it could not be assessed.
    limit
        The figure allowed. Whether it is a ceiling or a floor is the check's matter.
    ok
        Whether the fit passes.
    remedy
        How to mend the fit, or how to assess it.
    """

    name: str
    value: float
    limit: float
    ok: bool
    remedy: str


def at_most(name: str, value: float, limit: float, remedy: str) -> Verdict:
    """Judge a figure that has a ceiling.

    Parameters
    ----------
    name
        What was checked.
    value
        The figure found.
    limit
        The highest allowed.
    remedy
        How to mend the fit when the figure is higher.

    Returns
    -------
    The verdict. NaN fails: a figure that should exist and does not is no good sign.
    """
    ok = bool(value <= limit)
    return Verdict(name, float(value), float(limit), ok, _NOTHING if ok else remedy)


def at_least(name: str, value: float, limit: float, remedy: str) -> Verdict:
    """Judge a figure that has a floor.

    Parameters
    ----------
    name
        What was checked.
    value
        The figure found.
    limit
        The lowest allowed.
    remedy
        How to mend the fit when the figure is lower.

    Returns
    -------
    The verdict. NaN fails.
    """
    ok = bool(value >= limit)
    return Verdict(name, float(value), float(limit), ok, _NOTHING if ok else remedy)


def not_assessed(name: str, limit: float, how: str) -> Verdict:
    """Say that a figure could not be assessed.

    Parameters
    ----------
    name
        What was to be checked.
    limit
        The figure that would be allowed.
    how
        What it takes to assess it.

    Returns
    -------
    A verdict that passes, its value NaN.
    """
    return Verdict(name, float("nan"), float(limit), ok=True, remedy=how)


def as_dataset(verdicts: Sequence[Verdict]) -> xr.Dataset:
    """Lay verdicts out as the group `diagnostics` of a fit.

    Parameters
    ----------
    verdicts
        What the checks found.

    Returns
    -------
    Variables name, value, limit, ok and remedy along the dimension check.
    """
    return xr.Dataset(
        {
            "name": ("check", np.array([v.name for v in verdicts], dtype=object)),
            "value": ("check", np.array([v.value for v in verdicts], dtype=float)),
            "limit": ("check", np.array([v.limit for v in verdicts], dtype=float)),
            "ok": ("check", np.array([v.ok for v in verdicts], dtype=bool)),
            "remedy": ("check", np.array([v.remedy for v in verdicts], dtype=object)),
        }
    )
