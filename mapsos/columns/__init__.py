"""Whole Arrow columns in, whole columns out: batches, texts, numbers, times, geometries, summaries.

The three loops that touch every string of a response are in C (`_loops.c`, called through `loops`); where they are not
compiled, Python and Arrow do the same. shapely and pyproj are imported by the functions that need them, NumPy and
pyarrow also by modules. Nothing here loops over rows in Python where Arrow has a function, or knows the meaning of a
column.
"""
