"""Answers yes, maybe or no about one label of an item at a time."""
