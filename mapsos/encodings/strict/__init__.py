"""om:Measurement and om:Observation that are valid against the OGC schemas."""
