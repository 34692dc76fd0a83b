"""Facts that a database answers without delivering rows."""
