"""Bytes in and out: CGI, the server of ``mapsos serve``, and what watches a server.

A request from outside becomes a `Request`, a `Response` becomes bytes, one chunk at a time. Nothing here knows a
parameter of any protocol.
"""
