"""Values that all rooms share: predicates, times, CRSs, the source of a layer, deadlines, failures.

Frozen values and pure functions over single values, from the standard library. No other room is imported.
"""
