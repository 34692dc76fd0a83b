"""Facts that take one pass over the rows: groups, bounds, distinct values, densities.

Memory does not grow with the rows, except with the number of groups.
"""
