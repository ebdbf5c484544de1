"""Our methods beside those of other packages, each run in a process of its own."""
