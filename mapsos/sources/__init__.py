"""Rows of a LAYER from whatever GDAL reads, as Arrow batches: open, select, push down, reproject.

`layer` answers a `LayerQuery`. A driver delivers rows, and the predicate is evaluated on Arrow columns, so that all
formats return the same rows. Nothing here knows an offering, a procedure or any other word of SOS, and nothing that a
client sent becomes part of SQL.
"""
