"""The ASGI application of the maps that the configuration of the process allows."""

from __future__ import annotations

import os
import threading

from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.servers.asynchronous.adapter import AsgiAdapter, Receive, read_bounds
from mapsos.servers.asynchronous.exchange import Scope, Send
from mapsos.servers.wsgi_adapter import application as answer_wsgi

_lock = threading.Lock()
_adapter: AsgiAdapter | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request from the maps that the settings of the process allow; also /healthz and /metrics."""
    await _find_adapter()(scope, receive, send)


def _find_adapter() -> AsgiAdapter:
    global _adapter
    with _lock:
        if _adapter is None:
            try:
                settings = read_settings(os.environ)
            except SettingsError:
                # The application reports it, and tries again with each request.
                return AsgiAdapter(answer_wsgi, read_bounds(Settings()))
            _adapter = AsgiAdapter(answer_wsgi, read_bounds(settings))
        return _adapter
