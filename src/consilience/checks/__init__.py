"""Checks at the end of a fit: each gives verdicts, none prints or raises."""

from __future__ import annotations

from consilience.checks import gold, independence, presence, sampling
from consilience.checks.verdict import Verdict, as_dataset
from consilience.when_used import xr

__all__ = ["Verdict", "all_checks", "as_dataset"]


def all_checks(data: xr.DataTree) -> list[Verdict]:
    """Run every check that applies to a fit."""
    return [
        *sampling.earlier_fit(data),
        *sampling.familiar_annotators(data),
        *sampling.in_time(data),
        *sampling.finite(data),
        *sampling.sampling(data),
        *sampling.optimization(data),
        *sampling.label_switching(data),
        *independence.annotators_alike(data),
        *independence.independence(data),
        *presence.presence(data),
        *gold.gold(data),
    ]
