"""Parameters that vary between annotators or items."""
