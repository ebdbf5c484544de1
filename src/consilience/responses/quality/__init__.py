"""Repeated, misspelt and suspicious responses."""
