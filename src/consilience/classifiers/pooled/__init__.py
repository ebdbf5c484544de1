"""Predictions of several classifiers pooled into candidates."""
