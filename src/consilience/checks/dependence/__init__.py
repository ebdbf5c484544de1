"""Dependence of annotators' errors, seen in the residuals of their answers."""
