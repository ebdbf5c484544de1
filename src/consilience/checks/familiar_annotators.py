"""Whether a prediction rests on annotators that the earlier fit has seen."""

from __future__ import annotations

from consilience.checks.verdict import Verdict, at_least, too_little
from consilience.when_used import xr

_MIN_FAMILIAR = 1.0


def familiar_annotators(data: xr.DataTree) -> list[Verdict]:
    """Judge whether what was learned of annotators is about those who answered now."""
    if "familiar_annotators" not in data.attrs:
        return []
    name, number = "familiar_annotators", float(data.attrs["familiar_annotators"])
    if number < _MIN_FAMILIAR:
        return [too_little(name, _MIN_FAMILIAR, data.attrs["warning"], number)]
    return [at_least(name, number, _MIN_FAMILIAR, data.attrs["warning"])]
