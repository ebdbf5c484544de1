"""Results of a fit: tables computed from its draws, and its folder."""

from consilience.posterior._export import EXPORTS, export, export_table
from consilience.posterior.drifting import drift
from consilience.posterior.fit import Fit
from consilience.posterior.full_tables import (
    ITEMS,
    LABELS,
    AllItems,
    all_items,
    has_all_items,
)
from consilience.posterior.loading import load

__all__ = [
    "EXPORTS",
    "ITEMS",
    "LABELS",
    "AllItems",
    "Fit",
    "all_items",
    "drift",
    "export",
    "export_table",
    "has_all_items",
    "load",
]
