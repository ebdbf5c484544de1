"""Classifiers evaluated against the posterior."""
