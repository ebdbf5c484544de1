"""What is known of pairs of labels, whichever of the two comes first."""
