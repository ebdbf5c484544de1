"""Tabular sources read as columns of text: CSV, JSON, Arrow and pandas."""
