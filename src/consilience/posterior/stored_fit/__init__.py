"""A fit as it is stored: draws, settings and what was observed."""
