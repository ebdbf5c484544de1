"""Rules without a likelihood: the graph cut of the ImageNet study."""
