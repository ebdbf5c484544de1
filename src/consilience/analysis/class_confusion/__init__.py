"""How often people give one class for another."""
