"""Read the parameters of SOS 1.0.0, from key-value pairs and XML alike, one reader for each value.

A wrong value is an `OwsException` with the parameter as locator. Whether a name exists is not decided here.
"""
