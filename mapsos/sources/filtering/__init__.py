"""Decide which rows a predicate selects: on Arrow columns, and narrowed beforehand by the driver."""
