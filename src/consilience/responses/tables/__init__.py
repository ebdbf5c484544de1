"""Tables read from CSV, JSON and Arrow files."""
