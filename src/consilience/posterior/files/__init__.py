"""Files of tables for other programs, one format per file."""
