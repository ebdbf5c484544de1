"""Uses of a previous fit: the truth of new items, and the prior of a new fit."""
