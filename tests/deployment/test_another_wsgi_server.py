"""gunicorn runs the WSGI application, as an example for other servers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from .deployed import HOST, Client, Deployed
from .machine import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(start_machine: Callable[..., Machine]) -> Client:
    machine = start_machine("Another WSGI server")
    end = time.monotonic() + 60
    while True:
        try:
            machine.connect(8081).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < end, "gunicorn does not listen"
            time.sleep(0.05)
    return Client(machine, "/", "http", 8081, stated=f"http://{HOST}:8081")


class TestGunicorn(Deployed):
    """Its own command, without `mapsos serve`."""
