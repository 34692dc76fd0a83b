"""The REST interface of the ArcGIS Server SOS extension, over the same maps.

A path and parameters become a resource: a value, or a stream of observations. It asks the questions of ``operations``.
It never opens data, imports SOS, or turns a condition of a client into SQL.
"""
