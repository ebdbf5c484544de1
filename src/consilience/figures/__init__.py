"""The figures of a study: each with its table, its finding in words, and its chart."""

from consilience.figures.figure import Figure
from consilience.figures.record import Study
from consilience.figures.study import study

__all__ = ["Figure", "Study", "study"]
