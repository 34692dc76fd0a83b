"""Facts that take one pass over the rows: groups, bounds, densities."""
