"""Whole Arrow columns in, whole columns out.

NumPy and pyarrow are imported at the top, except in modules that a request which reads no rows loads too.
"""
