"""Aggregation methods compared on data sets with gold labels."""
