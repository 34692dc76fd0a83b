"""A map behind HTTP on the loopback, for what only a client over HTTP can show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.servers.wsgi_adapter import answer


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *values: Any) -> None:
        """Nothing: the output of tests is for tests."""


@contextmanager
def serve_application(settings: Settings) -> Iterator[str]:
    """The address under which the application answers, until the end of the block."""
    application = Application(settings)

    def respond(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return answer(application, environ, start_response, time.monotonic())

    with make_server("127.0.0.1", 0, respond, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/sos"
        finally:
            server.shutdown()
            thread.join()
