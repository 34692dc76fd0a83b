"""Sensors: their descriptions from metadata and data, and documents that the admin provides.

Files outside the folder of the map are never served.
"""
