"""Describe sensors and say where their features of interest are."""
