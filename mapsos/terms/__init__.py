"""Values that all rooms share, and pure functions over single values, with the standard library alone."""
