"""Tables of a fit of objects."""
