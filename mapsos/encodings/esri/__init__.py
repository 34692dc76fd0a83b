"""Observations and geometries as the REST interface writes them."""
