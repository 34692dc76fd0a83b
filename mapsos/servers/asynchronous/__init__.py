"""The asynchronous server: sockets wait in one event loop, work is done by a bounded number of threads.

A client that does not read its answer holds the answer as far as it is made, and no thread.
"""
