"""Coefficients of agreement, their estimates and intervals."""
