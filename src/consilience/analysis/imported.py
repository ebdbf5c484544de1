"""Analyses that other packages make for themselves, and users ask for here."""

from consilience.fitting import gold_curve, gold_design
from consilience.posterior import drift

__all__ = ["drift", "gold_curve", "gold_design"]
