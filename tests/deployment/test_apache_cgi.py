"""Apache runs the program that `mapsos cgi install` writes, and the command with a map of the environment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .deployed import CAPABILITIES, Client, Deployed
from .machine import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(start_machine: Callable[..., Machine]) -> Client:
    return Client(start_machine("Apache, CGI"), "/sensors")


class TestProgram(Deployed):
    """The program that knows its configuration file."""


def test_the_map_of_the_environment(client: Client) -> None:
    minimal = Client(client.machine, "/minimal")
    assert b"The weather of Seattle" in minimal.ask(CAPABILITIES).body
    refused = minimal.ask(f"map=/srv/maps/examples/mapfiles/weather.map&{CAPABILITIES}")
    assert (refused.status, b"not found in configuration" in refused.body) == (404, True)


def test_the_worker_answers_and_the_cache_is_the_servers(client: Client) -> None:
    client.ask(CAPABILITIES)
    assert "run_worker" in client.machine.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    owners = client.machine.run("stat --format '%U %a' /var/cache/mapsos/*").stdout.splitlines()
    assert owners
    assert set(owners) == {"www-data 600"}


def test_the_log_is_where_the_document_says(client: Client) -> None:
    """Faults that the admin must fix; requests are in Apache's access log."""
    client.ask(CAPABILITIES)
    path = client.machine.root / "srv/maps/examples/mapfiles/weather.map"
    text = path.read_text()
    path.write_text("MAP NONSENSE END")
    try:
        client.ask(CAPABILITIES)
    finally:
        path.write_text(text)
    log = client.machine.run("cat /var/log/apache2/error.log").stdout
    assert "weather.map" in log
    assert " INFO " not in log
