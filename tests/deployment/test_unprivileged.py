"""Nobody's rights on a file system that cannot be written to: the same answers, with a cache folder and without."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

import pytest

from .deployed import CAPABILITIES, WEEK, Client
from .machine import Machine

pytestmark = pytest.mark.slow

MAP = "/srv/maps/examples/mapfiles/weather.map"
CACHE = "/var/cache/mapsos"
CACHES = {
    "present": f"mkdir -p {CACHE} && mount -t tmpfs -o uid=nobody,mode=0700 tmpfs {CACHE}",
    "absent": f"rm -rf {CACHE}",
    "not writable": f"mkdir -p {CACHE}",
}
REQUESTS = {"GetCapabilities": CAPABILITIES, "GetObservation": WEEK}
READ_ONLY = "mount -o remount,bind,ro {}"
"""/dev/shm remains, as in every container."""


@pytest.fixture(scope="module")
def machine(start_machine: Callable[..., Machine]) -> Machine:
    return start_machine()


def shut_in(cache: str, command: str, **environ: str) -> str:
    """A script that runs a command as nobody, in a file system that cannot be written to but for the cache folder."""
    given = {"MAPSOS_CACHE": CACHE, "MAPSOS_LOG_LEVEL": "warning", "HOME": "/nonexistent", "PATH": "/usr/bin"} | environ
    variables = shlex.join(f"{name}={value}" for name, value in given.items())
    steps = ["mount --make-rprivate /", CACHES[cache]]
    steps += [f"mount -t tmpfs -o ro tmpfs {place}" for place in ("/tmp", "/var/tmp")]
    steps += [READ_ONLY.format(place) for place in ("/run", "/")]
    steps += [f"exec setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs env -i {variables} {command}"]
    return f"unshare --mount bash -euc {shlex.quote(chr(10).join(steps))}"


@pytest.fixture(scope="module")
def expected(machine: Machine) -> dict[str, str]:
    """What root gets where everything can be written to."""
    return {
        name: machine.run(f"MAPSOS_LOG_LEVEL=error /srv/mapsos/.venv/bin/mapsos get {MAP} '{query}'").stdout
        for name, query in REQUESTS.items()
    }


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("cache", CACHES)
def test_the_cgi_program(machine: Machine, expected: dict[str, str], cache: str, name: str) -> None:
    script = shut_in(
        cache,
        "/srv/mapsos/.venv/bin/mapsos 2>/dev/shm/complaints",
        MS_MAPFILE=MAP,
        REQUEST_METHOD="GET",
        QUERY_STRING=REQUESTS[name],
        SERVER_NAME="localhost",
        SERVER_PORT="80",
        SCRIPT_NAME="/weather",
    )
    machine.run("rm -f /dev/shm/complaints; touch /dev/shm/complaints; chmod 666 /dev/shm/complaints")
    answer = machine.run(script).stdout
    head, _, body = answer.partition("\n\n")
    assert "Content-Type: text/xml" in head
    assert body == expected[name]
    complaints = machine.run("cat /dev/shm/complaints").stdout.splitlines()
    # There is no folder for the socket of a worker either, and it says so; a cache that is not used is named once.
    assert len(complaints) <= 2, complaints
    assert all("cannot start a CGI worker" in line or "the cache folder" in line for line in complaints)


@pytest.fixture(params=CACHES)
def server(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Client]:
    command = f"/srv/mapsos/.venv/bin/mapsos serve --workers 2 {MAP}"
    machine.run(f"systemd-run --quiet --collect --unit=server {shut_in(request.param, command)}")
    machine.connect_soon(8080, "server").close()
    yield Client(machine, "/weather", "http", 8080)
    machine.run("systemctl stop server")


def test_the_server(server: Client, expected: dict[str, str]) -> None:
    started = server.machine.run("date +%s").stdout.strip()
    for name, query in REQUESTS.items():
        body = server.ask(query, Host="localhost").body.decode()
        assert body == expected[name]
    log = server.machine.run(f"journalctl --no-pager --output cat --unit server --since @{started}").stdout
    complaints = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line or "Traceback" in line]
    # One of each process that starts, about the cache or about the worker's folder.
    assert len(complaints) <= 2, complaints
