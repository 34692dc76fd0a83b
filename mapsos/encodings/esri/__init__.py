"""Observations and geometries in the formats of the REST interface."""
