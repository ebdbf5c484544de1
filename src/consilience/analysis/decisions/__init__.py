"""Decisions that follow from a posterior: labels, thresholds, more answers."""
