"""A server that must not be touched."""

from __future__ import annotations

import socket
import threading


class Listener:
    """A server on loopback that nobody may connect to."""

    def __init__(self) -> None:
        self.touched = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        # To the end: a client that asks again must not wait for an answer that nobody gives.
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.touched.set()
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
