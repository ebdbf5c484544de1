"""Data sets with gold labels, and how well a fit does on them."""

from consilience.benchmark.metrics import Metric, Score, ScoreOptions, score

__all__ = ["Metric", "Score", "ScoreOptions", "score"]
