"""Tables of a fit: labels, items, annotators, confusion."""
