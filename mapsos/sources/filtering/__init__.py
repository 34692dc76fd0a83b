"""Decide which rows a predicate selects: on Arrow columns, and narrowed beforehand by the driver.

`evaluate` decides. `pushdown` makes a condition for the driver that is only ever wider than the predicate, of
identifiers and typed constants.
"""
