"""Dirichlet distributions: arithmetic, draws and learned concentrations."""
