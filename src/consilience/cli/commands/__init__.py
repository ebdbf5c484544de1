"""Commands, each a module that bears its name."""
