"""Overviews of responses: a summary and the design."""
