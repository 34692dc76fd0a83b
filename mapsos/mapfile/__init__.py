"""A mapfile becomes a frozen `Service`: metadata, connections, projections, filters and access rules.

`model` is the result, `reader` builds it, `catalog` caches it per process and `compiled` on disk, `keys` is the table
of all metadata keys. Data are never opened here, and no request is known: whether a column exists is found elsewhere.
"""
