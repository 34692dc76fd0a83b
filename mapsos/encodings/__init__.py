"""Response formats: batches of columns, or small values, to bytes.

An `Encoder` derives from the neutral description of a layer what its format writes, states which columns it needs, and
writes chunk by chunk. `registry` has a row for each format and is the only list of them. The rooms inside are families
of formats: ``mapserver``, ``strict``, ``tables``, ``esri``, and ``documents`` for everything that is not observations.
Nothing here knows where rows came from, or reads a parameter.
"""
