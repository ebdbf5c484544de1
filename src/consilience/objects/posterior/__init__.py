"""Draws of the objects of each item, and what follows from them."""
