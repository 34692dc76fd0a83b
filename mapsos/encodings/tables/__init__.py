"""Observations as tables: CSV, JSON, GeoJSON, Arrow and Parquet.

All share one description of a table, in `table`: which columns it has, and how layers with different ones are joined.
A row is one row of the data. Formats differ in how they write a column, never in which rows or columns there are.
"""
