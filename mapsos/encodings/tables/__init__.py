"""Observations as tables: CSV, JSON, GeoJSON, Arrow and Parquet."""
