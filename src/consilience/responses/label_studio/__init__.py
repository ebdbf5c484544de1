"""Projects of Label Studio."""
