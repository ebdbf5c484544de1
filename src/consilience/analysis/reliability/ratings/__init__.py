"""Answers as arrays: counts, groups of items, similarity."""
