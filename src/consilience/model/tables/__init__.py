"""Models of tables, computed on the host without JAX."""
