"""Photographs of scikit-image, on which classifiers are verified."""

from consilience.classifiers.wrapping.golden import photograph

__all__ = ["photograph"]
