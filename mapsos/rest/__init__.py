"""The REST interface of the ArcGIS Server SOS extension, over the same maps: its resources as plain values."""
