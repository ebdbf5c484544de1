"""Results of a fit: tables computed from its draws, and its folder."""

from consilience.posterior._export import EXPORTS, export, export_table
from consilience.posterior.drifting import drift
from consilience.posterior.fit import Fit
from consilience.posterior.store import load, save

__all__ = ["EXPORTS", "Fit", "drift", "export", "export_table", "load", "save"]
