"""Columns of text: coded, checked and interpreted."""
