"""The systemd service, and the proxies before it."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from .deployed import CAPABILITIES, HOST, TAKEN_AWAY, WEEK, Client, Deployed
from .machine import Machine

pytestmark = pytest.mark.slow

PROXIES = {"nginx": "nginx before the service", "apache2": "Apache before the service"}
EXPOSURE = 1.0
"""The most that `systemd-analyze security` may find open, of 10."""


@pytest.fixture(scope="module", params=PROXIES)
def proxied(request: pytest.FixtureRequest, start_machine: Callable[..., Machine]) -> Iterator[tuple[str, Machine]]:
    """A machine with the service and one of the proxies, and the proxy's name."""
    machine = start_machine("A systemd service", PROXIES[request.param])
    yield request.param, machine
    machine.run(f"systemctl stop {request.param}")


@pytest.fixture(params=["http", "https"])
def client(request: pytest.FixtureRequest, proxied: tuple[str, Machine]) -> Client:
    return Client(proxied[1], "/sensors/weather", request.param)


class TestProxied(Deployed):
    """Through each proxy, with and without TLS."""


def test_a_host_that_is_not_served_gets_no_capabilities(proxied: tuple[str, Machine]) -> None:
    connection = Client(proxied[1], "/sensors/weather").connect()
    connection.request("GET", f"/sensors/weather?{CAPABILITIES}", headers={"Host": "evil.example"})
    try:
        answer = connection.getresponse()
        assert (answer.status, b"Capabilities" in answer.read()) == (403, False)
    except http.client.RemoteDisconnected:
        assert proxied[0] == "nginx"
    finally:
        connection.close()


def test_the_address_without_slash_leads_to_the_services(client: Client) -> None:
    connection = client.connect()
    try:
        connection.request("GET", "/sensors", headers={"Host": HOST})
        answer = connection.getresponse()
        assert answer.status == 301
        assert answer.headers["Location"].endswith(f"{HOST}/sensors/")
    finally:
        connection.close()


@pytest.mark.parametrize("id", ["http%3A%2F%2Fx.org%2F1", "http://x.org/1"])
def test_an_id_with_slashes_comes_through(client: Client, id: str) -> None:
    answer = replace(client, path=f"{client.path}/exts/SosSOE/procedures/{id}").ask("f=json")
    assert (answer.status, b'"procedure http://x.org/1 not found"' in answer.body) == (404, True)


def test_only_a_trusted_proxy_is_believed(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    path = machine.root / "etc/mapsos.conf"
    text = path.read_text()
    client = Client(machine, "/sensors/weather", "https")
    try:
        path.write_text(text.replace('MAPSOS_TRUSTED_PROXIES "unix"', ""))
        machine.run("systemctl restart mapsos")
        # The Host header remains, which is the client's own.
        assert not [url for url in client.find_urls() if url.startswith("https") or "/sensors/" in url]
    finally:
        path.write_text(text)
        machine.run("systemctl restart mapsos")
    assert client.find_urls() == {f"{client.url}?"}


def test_the_address_of_the_client_is_in_the_log(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    Client(machine, "/sensors/weather").ask("service=SOS&request=GetNothing", X_Forwarded_For="192.0.2.66")
    log = machine.run("journalctl --no-pager --unit mapsos").stdout
    (said,) = [line for line in log.splitlines() if "GetNothing" in line]
    identity = said.rpartition("(id ")[2].rstrip(")")
    assert re.search(rf"from 127\.0\.0\.1, id {identity}$", log, re.M), log


def test_nobody_else_may_connect(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    connect = "python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect('/run/mapsos.sock')\""
    machine.run(f"setpriv --reuid=www-data --clear-groups {connect}")
    assert "PermissionError" in machine.run(f"setpriv --reuid=nobody --clear-groups {connect}", check=False).stdout


def test_the_service_is_shut_in(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    done = machine.run("systemd-analyze security --no-pager mapsos.service | tail -n 1")
    found = re.search(r"exposure level for mapsos.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout
    assert float(found[1]) <= EXPOSURE
    process = machine.run("systemctl show --property MainPID --value mapsos").stdout.strip()
    lines = machine.run(f"cat /proc/{process}/status").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert status["Uid"].split()[0] != "0"
    assert (status["CapEff"].strip("0"), status["NoNewPrivs"], status["Seccomp"]) == ("", "1", "2")


def test_the_cache_is_used_and_it_is_all_that_is_written(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    Client(machine, "/sensors/weather").ask(CAPABILITIES)
    assert machine.run("ls /var/cache/mapsos/maps").stdout.strip()
    assert not [path for path in (machine.root / "srv/maps").rglob("*") if path.stat().st_uid]


def test_a_restart_loses_no_connection(proxied: tuple[str, Machine]) -> None:
    _, machine = proxied
    machine.run("systemctl stop mapsos.service")
    # systemd's socket starts it again.
    assert Client(machine, "/sensors/weather").ask(WEEK).status == 200
    assert machine.run("systemctl is-active mapsos.service").stdout == "active\n"


def test_the_service_comes_back_after_a_crash(proxied: tuple[str, Machine]) -> None:
    """Requests that its processes have accepted fail; those after it do not."""
    _, machine = proxied
    process = machine.run("systemctl show --property MainPID --value mapsos").stdout
    machine.run(f"kill -KILL {process}")
    end = time.monotonic() + 60
    while (answer := Client(machine, "/sensors/weather").ask(WEEK)).status != 200:
        assert time.monotonic() < end, answer.body
        time.sleep(0.1)
    assert answer.body.count(b"<om:member>") == 168
    assert machine.run("systemctl show --property MainPID --value mapsos").stdout != process


def test_the_log_has_no_complaints(proxied: tuple[str, Machine]) -> None:
    name, machine = proxied
    log = machine.run("journalctl --no-pager --unit mapsos").stdout
    assert not re.search(r"Permission denied|Read-only|Operation not permitted", log), log
    # Of the answers that tests broke off by taking their rows away: one line each.
    assert f"the response broke off: {TAKEN_AWAY}" in log, log
    assert "Traceback" not in log, log
    shown = machine.run(f"journalctl --no-pager --quiet --unit {name} -p warning").stdout
    # systemd says this of the machine's control groups at times, and goes on.
    told = [line for line in shown.splitlines() if "Failed to kill control group" not in line]
    assert told == [], shown
