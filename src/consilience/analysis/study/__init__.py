"""Summaries of a study of objects."""
