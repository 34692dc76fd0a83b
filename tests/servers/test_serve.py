"""`mapsos serve`: a real server on a free port, and what it does with paths."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.support.serve_command import CAPABILITIES, COMMAND, EXAMPLES, MINIMAL, WEATHER, Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(WEATHER, MINIMAL, lines=4) as running:
        yield running


def test_it_prints_what_to_try(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    assert server.lines == [
        f"mapsos serves weather, minimal at {base}",
        f"Pages: {base}/",
        f"{base}/weather?{CAPABILITIES}",
        f"{base}/minimal?{CAPABILITIES}",
    ]


@pytest.mark.parametrize("path", ["/weather", "/weather/"])
def test_a_browser_is_led_to_the_page_of_a_map(server: Server, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={"Accept": "text/html,application/xhtml+xml"})
    response = connection.getresponse()
    response.read()
    connection.close()
    page = urljoin(path, response.headers["Location"])
    assert (response.status, page) == (302, "/weather/exts/SosSOE")
    assert b"Weather, ocean and river observations" in server.ask(page, Accept="text/html")[1]
    assert b"QUERY_STRING is set, but empty" in server.ask(path, Accept="*/*")[1]


@pytest.mark.parametrize(("path", "title"), [("/weather", b"Weather, ocean"), ("/minimal/", b"The weather of Seattle")])
def test_a_map_has_a_path(server: Server, path: str, title: bytes) -> None:
    status, body = server.ask(f"{path}?{CAPABILITIES}")
    assert status == 200
    assert title in body


def test_the_path_is_the_online_resource(server: Server) -> None:
    _, body = server.ask(f"/weather?{CAPABILITIES}")
    assert f'xlink:href="http://127.0.0.1:{server.port}/weather?"'.encode() in body
    _, body = server.ask(f"/weather?{CAPABILITIES}", Host="sensors.example.org")
    assert b'xlink:href="http://sensors.example.org/weather?"' in body


def test_the_root_lists_several_maps(server: Server) -> None:
    assert server.ask("/") == (200, f"/weather?{CAPABILITIES}\n/minimal?{CAPABILITIES}\n".encode())
    assert server.ask("/", "HEAD") == (200, b"")


@pytest.mark.parametrize("path", ["/other", "/weather/more", "/Weather", "/../etc/passwd"])
def test_other_paths_are_not_there(server: Server, path: str) -> None:
    status, body = server.ask(f"{path}?{CAPABILITIES}")
    assert status == 404
    assert b"/weather?" in body


@pytest.mark.parametrize("path", ["/other", "/weather/more", "/a/b//c", "/other/_mapsos/static/pages.css"])
def test_a_browser_gets_a_page_for_what_is_not_there(server: Server, path: str) -> None:
    status, body = server.ask(path, Accept="text/html,*/*;q=0.8")
    assert status == 404
    assert b"page not found" in body
    assert b'<a href="/arcgis/rest/services">Back to the list of services</a>' in body


def test_map_may_name_what_is_served_and_nothing_else(server: Server) -> None:
    assert b"The weather of Seattle" in server.ask(f"/weather?map=MINIMAL&{CAPABILITIES}")[1]
    assert b"not found in configuration" in server.ask(f"/weather?map={WEATHER}&{CAPABILITIES}")[1]


def test_forms_and_chunks_are_read(server: Server) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert b"<sos:Capabilities" in server.ask("/weather", "POST", CAPABILITIES.encode(), **form)[1]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    halves = iter([CAPABILITIES[:10].encode(), CAPABILITIES[10:].encode()])
    connection.request("POST", "/weather", halves, form, encode_chunked=True)
    assert b"<sos:Capabilities" in connection.getresponse().read()
    connection.close()


def test_strangers_cannot_forward(server: Server) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Script-Name": "/evil"}
    _, body = server.ask(f"/weather?{CAPABILITIES}", **forged)
    assert b"evil" not in body
    assert f'"http://127.0.0.1:{server.port}/weather?"'.encode() in body


def test_one_map_is_also_the_root() -> None:
    with serving(WEATHER, "--requests", EXAMPLES / "requests.txt", lines=22, MAPSOS_LOG_LEVEL="info") as server:
        assert b"Weather, ocean" in server.ask(f"/?{CAPABILITIES}")[1]
        assert b"Weather, ocean" in server.ask(f"/weather?{CAPABILITIES}")[1]
        assert server.ask("/other")[0] == 404
        urls = [line for line in server.lines[2:] if not line.startswith("#")]
        assert urls
        assert all(re.match(rf"http://127\.0\.0\.1:{server.port}/[a-z-]+\?service=SOS&", url) for url in urls)


def test_a_trusted_proxy_is_believed() -> None:
    with serving(WEATHER, lines=2, MAPSOS_TRUSTED_PROXIES="127.0.0.1") as server:
        told = {"X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "https"}
        _, body = server.ask(f"/?{CAPABILITIES}", **told)
        assert b'"https://public.example' in body


def test_a_busy_port_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [COMMAND, "serve", "--port", port, WEATHER], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr


def test_an_interrupt_ends_it() -> None:
    with serving(WEATHER, lines=3) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0


def ask_at(path: Path, target: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of one request through a Unix socket."""
    connection = http.client.HTTPConnection("sensors.example.org", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def serving_at(path: Path, **environ: str) -> Iterator[list[str]]:
    """Run the server at a Unix socket: what it printed."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--bind", f"unix:{path}", "--workers", "1", WEATHER],
        env=os.environ | {"MS_ERRORFILE": "/dev/null"} | environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield [process.stdout.readline().rstrip("\n") for _ in range(2)]
    finally:
        process.terminate()
        code = process.wait(60)
        process.stdout.close()
    assert code == 0


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Script-Name": "/evil"}
    with serving_at(path) as lines:
        assert lines == [f"mapsos serves weather at unix:{path}", f"/weather?{CAPABILITIES}"]
        status, body = ask_at(path, f"/weather?{CAPABILITIES}", **forged)
        assert status == 200
        assert b'"http://sensors.example.org/weather?"' in body
        second = subprocess.run(
            [COMMAND, "serve", "--bind", f"unix:{path}", WEATHER],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 2
        assert f"cannot listen on unix:{path}: Address already in use" in second.stderr
        assert ask_at(path, f"/weather?{CAPABILITIES}")[0] == 200
    assert not path.exists()


def test_a_trusted_proxy_at_a_unix_socket(tmp_path: Path) -> None:
    told = {"X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/sos"}
    with serving_at(tmp_path / "socket", MAPSOS_TRUSTED_PROXIES="unix"):
        _, body = ask_at(tmp_path / "socket", f"/weather?{CAPABILITIES}", **told)
        assert b'"https://public.example/sos/weather?"' in body


HAND_OVER = """\
import os, socket, sys
listener = socket.socket(socket.AF_UNIX if sys.argv[1] == "unix" else socket.AF_INET)
listener.bind(sys.argv[2] if sys.argv[1] == "unix" else ("127.0.0.1", 0))
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_the_socket_of_systemd(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    process = subprocess.Popen(
        [sys.executable, "-c", HAND_OVER, kind, path, COMMAND, "serve", "--workers", "1", WEATHER],
        env=os.environ | {"MS_ERRORFILE": "/dev/null"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline().rstrip("\n")
    try:
        if kind == "unix":
            assert first == f"mapsos serves weather at unix:{path}"
            assert ask_at(path, f"/weather?{CAPABILITIES}")[0] == 200
        else:
            running = Server(process, [first])
            assert running.ask(f"/weather?{CAPABILITIES}")[0] == 200
    finally:
        process.terminate()
        code = process.wait(60)
        process.stdout.close()
    assert code == 0
    # It is systemd's, which listens on.
    assert path.exists() == (kind == "unix")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--bind", "unix:/nowhere/there/socket"], "cannot listen on unix:/nowhere/there/socket: No such file"),
        (["--bind", "127.0.0.1:80"], "invalid unix_path value: '127.0.0.1:80'"),
        (["--bind", "unix:"], "invalid unix_path value: 'unix:'"),
        (["--bind", "unix:/run/a", "--port", "80"], "--bind already sets the address: omit --host and --port"),
    ],
)
def test_where_nobody_can_listen(arguments: list[str], complaint: str) -> None:
    done = subprocess.run(
        [COMMAND, "serve", *arguments, WEATHER], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert complaint in done.stderr


def test_systemd_alone_says_where_to_listen(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HAND_OVER, "unix", tmp_path / "socket", COMMAND, "serve", "--port", "0", WEATHER],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "systemd already sets the address: omit --host, --port and --bind" in done.stderr
