"""Scores of posterior labels against gold labels."""

from consilience.scoring.metrics import Metric, Score, ScoreOptions, score

__all__ = ["Metric", "Score", "ScoreOptions", "score"]
