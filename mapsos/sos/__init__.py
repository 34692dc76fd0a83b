"""Sensor Observation Service: one room per version of the protocol."""
