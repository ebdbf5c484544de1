"""Emissions: the distribution of answers in each state of the truth."""
