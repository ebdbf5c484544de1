"""Running a classifier over images."""
