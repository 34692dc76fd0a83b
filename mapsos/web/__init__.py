"""HTTP and its log as values: messages, compression, CORS, entity tags, forwarded headers, metrics.

A header has one module that reads and writes it. Nothing here knows a map or a protocol of the OGC.
"""
