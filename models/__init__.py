"""Image classifiers of the repository, and the exporter that builds them."""
