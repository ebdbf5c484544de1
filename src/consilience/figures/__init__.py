"""The figures of a study: each with its table, its finding in words, and its chart."""

from consilience.figures._study import study
from consilience.figures.figure import Figure
from consilience.figures.record import StudyFigures

__all__ = ["Figure", "StudyFigures", "study"]
