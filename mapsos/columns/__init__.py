"""Whole Arrow columns in, whole columns out. NumPy and pyarrow are imported at the top here."""
