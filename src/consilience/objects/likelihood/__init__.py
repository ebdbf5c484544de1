"""The likelihood of responses given the objects of an item."""
