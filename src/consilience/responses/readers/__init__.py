"""One reader per file; each names itself in `READER`."""
