"""Whether a fitted model reproduces the answers that it was fitted to."""
