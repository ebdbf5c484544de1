"""A verdict: one figure of a fit, its limit, and how to fix the fit when it fails.

A check never raises and never prints: a bad fit is still a result, and its tables say
that it is bad. A check that cannot be told neither passes nor fails, and its remedy
says what would be needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consilience.posterior.trust import CANNOT_TELL, FAILED, PASSED, Outcome
from consilience.when_used import xr


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check of a fit.

    Attributes
    ----------
    name : str
        What was checked.
    value : float
        The measured value; NaN where it could not be computed.
    limit : float
        The limit of the value. Whether it is an upper or a lower limit depends on the
        check.
    outcome : str
        Whether the fit passes or fails, was corrected, or it cannot be told.
    remedy : str
        How to fix the fit, or what would be needed to decide.

    See Also
    --------
    consilience.Fit.diagnostics : All checks of a fit, as a table.

    Examples
    --------
    >>> from consilience.checks.verdict import at_most
    >>> verdict = at_most("r_hat", 1.3, 1.01, "take more draws")
    >>> verdict.ok, verdict.remedy
    (False, 'take more draws')
    """

    name: str
    value: float
    limit: float
    outcome: Outcome
    remedy: str

    @property
    def ok(self) -> bool:
        """Whether the check did not fail; it need not have passed."""
        return self.outcome != FAILED


def at_most(name: str, value: float, limit: float, remedy: str) -> Verdict:
    """Judge a figure that has a ceiling."""
    return _judge(name, value, limit, remedy, ok=bool(value <= limit))


def at_least(name: str, value: float, limit: float, remedy: str) -> Verdict:
    """Judge a figure that has a floor."""
    return _judge(name, value, limit, remedy, ok=bool(value >= limit))


def cannot_tell(
    name: str, limit: float, how: str, value: float = float("nan")
) -> Verdict:
    """Return a verdict that the fit does not tell."""
    return Verdict(name, float(value), float(limit), CANNOT_TELL, how)


def as_dataset(verdicts: Sequence[Verdict]) -> xr.Dataset:
    """Lay verdicts out as the group `diagnostics` of a fit."""
    kinds = {"name": object, "value": float, "limit": float}
    kinds |= {"outcome": object, "ok": bool, "remedy": object}
    columns = {
        name: np.array([getattr(verdict, name) for verdict in verdicts], kind)
        for name, kind in kinds.items()
    }
    return xr.Dataset({name: ("check", column) for name, column in columns.items()})


def _judge(name: str, value: float, limit: float, remedy: str, *, ok: bool) -> Verdict:
    outcome, advice = (PASSED, "nothing to fix") if ok else (FAILED, remedy)
    return Verdict(name, float(value), float(limit), outcome, advice)
