"""Sensor Observation Service: one room per version of the protocol. Versions never import each other."""
