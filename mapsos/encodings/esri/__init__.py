"""Observations and geometries as the REST interface writes them: Esri JSON, and its CSV.

The shapes of the documents are those of the ArcGIS Server SOS extension. URLs and query parameters are not known here.
"""
