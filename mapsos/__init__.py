"""mapsos: a Sensor Observation Service (OGC SOS 1.0.0) that is configured by a MapServer mapfile."""

__version__ = "0.1.0"
