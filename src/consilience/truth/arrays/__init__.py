"""Arrays for NumPy and JAX alike, and records of them."""
