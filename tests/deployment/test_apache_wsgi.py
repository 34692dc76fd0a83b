"""Apache with processes of mod_wsgi."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .deployed import CAPABILITIES, Client, Deployed
from .machine import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(start_machine: Callable[..., Machine]) -> Client:
    return Client(start_machine("Apache, mod_wsgi"), "/sensors")


class TestDaemonMode(Deployed):
    """Requests through processes that stay."""


def test_requests_are_answered_by_the_daemon_processes(client: Client) -> None:
    client.ask(CAPABILITIES)
    processes = client.machine.run("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'").stdout
    assert processes.count("(wsgi:mapsos)") == 2


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


def test_a_changed_map_counts_after_nothing_but_a_request(client: Client) -> None:
    path = client.machine.root / "srv/maps/examples/mapfiles/weather.map"
    text = path.read_text()
    try:
        path.write_text(text.replace("Weather, ocean and river", "Fewer"))
        assert b"<ows:Title>Fewer observations</ows:Title>" in client.ask(CAPABILITIES).body
    finally:
        path.write_text(text)


def test_changed_settings_count_after_a_reload(client: Client) -> None:
    path = client.machine.root / "etc/mapsos.conf"
    text = path.read_text()
    query = "service=SOS&version=1.0.0&request=GetEverything"
    try:
        path.write_text(text.replace('MAPSOS_HTTP_STATUS "on"', 'MAPSOS_HTTP_STATUS "off"'))
        client.machine.run("systemctl reload apache2")
        assert client.ask(query).status == 200
    finally:
        path.write_text(text)
        client.machine.run("systemctl reload apache2")
    assert client.ask(query).status == 400
