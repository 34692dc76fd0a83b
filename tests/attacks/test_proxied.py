"""Requests that a proxy and the server behind it might read differently, by real proxies that keep connections."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.victim import write_victim
from tests.attacks.smuggling import HIDDEN, SMUGGLED
from tests.support.apache import wait_for_server
from tests.support.servers import APACHE_MODULES, reserve_port, serving

pytestmark = pytest.mark.slow
_NGINX = """\
daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream sos {{ server 127.0.0.1:{upstream}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://sos; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off;
    }}
  }}
}}
"""
_APACHE = """\
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/log
Timeout 600
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
User www-data
ServerLimit 1
StartServers 1
MinSpareThreads 1
MaxSpareThreads 4
ThreadsPerChild 4
MaxRequestWorkers 4
ProxyPass / http://127.0.0.1:{upstream}/ max=1 ttl=60
"""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(write_victim(tmp_path_factory.mktemp("victim"))) as server:
        yield server.port


@pytest.fixture(scope="module", params=["nginx", "apache2"])
def port(request: pytest.FixtureRequest, upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A proxy that has one connection to the server, for all of its clients."""
    program = shutil.which(request.param, path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip(f"needs {request.param}")
    folder: Path = tmp_path_factory.mktemp(request.param)
    file = folder / "conf"
    command = [program, "-c", file] if request.param == "nginx" else [program, "-DFOREGROUND", "-f", file]
    with reserve_port() as chosen:
        text = _NGINX if request.param == "nginx" else _APACHE
        file.write_text(text.format(folder=folder, upstream=upstream, port=chosen, modules=APACHE_MODULES))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
        try:
            wait_for_server(chosen, process)
            yield chosen
        finally:
            process.terminate()
            process.wait(60)


BODY = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'
POST = b"POST /victim HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
MORE = {
    "cl.te": POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % (5 + len(HIDDEN)) + b"0\r\n\r\n",
    "te.cl": CHUNKED + b"Content-Length: 4\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    "te.te": CHUNKED + b"Transfer-Encoding: x\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "lengths in a list": POST + b"Content-Length: 5, 90\r\n\r\n" + BODY,
    "the same length twice": POST + b"Content-Length: %d\r\n" % len(BODY) * 2 + b"\r\n" + BODY,
    "a chunk extension": CHUNKED + b"\r\n" + WHOLE.replace(b"\r\n", b';a="b"\r\n', 1),
    "a chunk extension with a line": CHUNKED + b"\r\n" + WHOLE.replace(b"\r\n", b";a\nGET / HTTP/1.1\r\n", 1),
    "a huge chunk": CHUNKED + b"\r\nffffffffffffffff1\r\n" + BODY,
    "a trailer": CHUNKED + b"\r\n" + WHOLE[:-2] + b"Content-Length: 90\r\n\r\n",
    "a body of a GET": b"GET /victim?service=SOS HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
}


@pytest.mark.parametrize("name", [*SMUGGLED, *MORE])
def test_no_client_gets_what_another_smuggled(port: int, name: str) -> None:
    """Whatever becomes of the request: those of other clients, by the same connection, get their own answers."""
    with socket.create_connection(("127.0.0.1", port), 60) as attacker:
        attacker.sendall(SMUGGLED[name] if name in SMUGGLED else MORE[name] + HIDDEN)
        # Where the proxy waits for more, there is nothing to be had.
        attacker.settimeout(0.5)
        with contextlib.suppress(OSError):
            attacker.recv(65536)
        for number in range(3):
            # A request of its own each, that its answer shows.
            mark = f"mark-{number}-{re.sub('[^a-z]', '', name)}"
            answer = ask(port, f"service=SOS&request={mark}")
            assert answer.count(b"HTTP/1.1 ") == 1
            assert mark.encode() in answer
            assert b"sections" not in answer


def ask(port: int, query: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(f"GET /victim?{query} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b""))
