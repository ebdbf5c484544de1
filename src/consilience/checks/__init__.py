"""Checks at the end of a fit: each gives verdicts, none prints or raises."""

from __future__ import annotations

from consilience.checks.dependence.independence import independence
from consilience.checks.optimization import finite, optimization
from consilience.checks.presence import presence
from consilience.checks.sampling import familiar_annotators, label_switching, sampling
from consilience.checks.verdict import Verdict, as_dataset
from consilience.when_used import xr

__all__ = ["Verdict", "all_checks", "as_dataset"]


def all_checks(data: xr.DataTree) -> list[Verdict]:
    """Run every check that applies to a fit."""
    return [
        *familiar_annotators(data),
        *finite(data),
        *sampling(data),
        *optimization(data),
        *label_switching(data),
        *independence(data),
        *presence(data),
    ]
