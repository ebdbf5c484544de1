"""Batches of Mechanical Turk."""
