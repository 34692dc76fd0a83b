"""Whole Arrow columns in, whole columns out: batches, texts, numbers, times, geometries, summaries.

NumPy and pyarrow are imported at the top here, shapely and pyproj in the functions that need them. The three loops
that touch every text of a response are in C (`_loops.c`, called through `loops`), each with a way that needs no
compiler. Nothing here loops over rows in Python, or knows what a column means.
"""
