"""Fits of kind objects, their predictions and their cross-validation."""
