"""Select, limit, stream and summarize observations.

A question becomes one predicate per layer; layers become a stream of batches whose first ones are read before anything
is sent. Memory is a few batches per layer. Nothing here writes a format.
"""
