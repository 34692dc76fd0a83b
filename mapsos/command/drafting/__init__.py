"""Draft a mapfile from data: what a data set contains, which column has which role, and the text of the map.

Fiona reads schemas, CRSs, bounds and a sample of rows, mappyfile prints the map. Both are imported only once a data set
is read, so that other commands do not pay for them. Never opens a data set for writing, and never answers a request.
"""
