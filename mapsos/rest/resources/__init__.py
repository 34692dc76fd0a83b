"""The resources of the REST interface, one module each: from a context and parameters to plain values.

A resource returns values that JSON can hold, or an `ObservationBody`. It never sees the HTTP request.
"""
