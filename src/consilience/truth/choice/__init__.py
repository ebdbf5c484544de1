"""Choice of one label: spaces of classes, candidates and short lists."""
