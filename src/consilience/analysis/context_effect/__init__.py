"""The effect of the label that annotators were asked about."""
