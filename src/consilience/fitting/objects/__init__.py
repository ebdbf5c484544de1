"""Prediction and cross-validation for fits of objects."""
