"""The types of ids and labels, and published pickles read as plain data."""
