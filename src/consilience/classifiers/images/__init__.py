"""Images: where they are, and their bytes as pixels."""
