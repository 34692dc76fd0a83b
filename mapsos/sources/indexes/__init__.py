"""Facts that a database states without delivering rows: by seeks into an index, or by its own aggregates.

Each is exact or None. An estimate is never returned as a fact.
"""
