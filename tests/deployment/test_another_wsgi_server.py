"""gunicorn runs the WSGI application, as an example for other servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .deployed import HOST, Client, Deployed
from .machine import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(start_machine: Callable[..., Machine]) -> Client:
    machine = start_machine("Another WSGI or ASGI server")
    machine.connect_soon(8081).close()
    return Client(machine, "/", "http", 8081, stated=f"http://{HOST}:8081")


class TestGunicorn(Deployed):
    """Its own command, without `mapsos serve`."""
