"""One module for each way to read a data source, and what they share.

A driver is a `Reader`: columns, and rows as Arrow arrays. It can leave out rows that the narrowing excludes, but never
decides about a row. Features are never read one by one where observations are sent.
"""
