"""Facts that a database reports without delivering rows."""
