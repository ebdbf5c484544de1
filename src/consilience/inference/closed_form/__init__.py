"""Engines for models whose updates have a closed form."""
