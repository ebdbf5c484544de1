"""Engines for models that are fitted by gradients."""
