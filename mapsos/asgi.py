"""ASGI: ``application`` for uvicorn and other servers (ASGI 3).

    uvicorn mapsos.asgi:application

Settings are read from the environment of the process when the first request arrives. ``mapsos serve`` runs the same
adapter over uvicorn, with limits for slow requests that uvicorn alone does not have.
"""

from mapsos.servers.asynchronous.configured import application

__all__ = ["application"]
