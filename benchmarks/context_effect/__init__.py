"""The context effect of similar labels, estimated from who was shown what."""
