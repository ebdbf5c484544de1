"""How far a fit has come: see `consilience.progress`."""

from consilience.progress import Progress, Reporter, bar, silent

__all__ = ["Progress", "Reporter", "bar", "silent"]
