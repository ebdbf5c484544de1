"""Responses laid out for the model of objects."""
