"""The programs that are compared, as they are started: mapsos, mapserv, and Apache with both."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from benchmarks.processes import Program, ProgramError, start_program, stop_program

ROOT = Path(__file__).parents[1]
MAPSOS = Path(sys.executable).parent / "mapsos"
MAPSERV = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 60


def mapsos_program(mapfile: Path, query: str) -> Program:
    """One request by ``mapsos get``, as a process of its own."""
    return Program((str(MAPSOS), "get", str(mapfile), query), {"HOME": str(mapfile.parent)}, mapfile.parent)


def rest_program(mapfile: Path, path: str) -> Program:
    """One request for a path of the REST interface with its query, as a web server would start mapsos."""
    path, _, query = path.partition("?")
    environment = {
        "HOME": str(mapfile.parent),
        "MS_MAPFILE": str(mapfile),
        "MAPSOS_CACHE": "off",
        "MAPSOS_CGI_WORKER": "off",
        "MAPSOS_LOG_LEVEL": "error",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/mapsos",
        "PATH_INFO": path,
        "QUERY_STRING": escape(query),
    }
    return Program((str(MAPSOS),), environment, mapfile.parent)


def mapserv_program(mapfile: Path, query: str, configuration: Path) -> Program:
    """One request by mapserv as a web server would start it, header and all."""
    environment = {
        "MAPSERVER_CONFIG_FILE": str(configuration),
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"map={mapfile}&{escape(query)}",
    }
    return Program((MAPSERV,), environment, mapfile.parent)


def escape(query: str) -> str:
    """A query as a client sends it."""
    return quote(query, safe="=&:;,/")


@contextmanager
def reserve_port() -> Iterator[int]:
    """A port of the loopback address for a server that sets SO_REUSEADDR, as all of those here do.

    It is bound, so that the system gives it to no other server and no client until the block ends, and not listened on,
    so that the server can.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server: its process, its port on 127.0.0.1, and where its CGI programs keep their workers' sockets."""

    pid: int
    port: int
    runtime: Path | None = None


@contextmanager
def serving(mapfile: Path, *options: str) -> Iterator[Server]:
    """``mapsos serve`` on the map, with one worker unless the options say otherwise, until the block ends."""
    environment = {"HOME": str(mapfile.parent), "MAPSOS_LOG_LEVEL": "error"}
    with reserve_port() as port:
        command = (str(MAPSOS), "serve", "--port", str(port), *(options or ("--workers", "1")), str(mapfile))
        with _running(Program(command, environment, mapfile.parent), port) as server:
            yield server


@contextmanager
def serving_apache(folder: Path, configuration: Path) -> Iterator[Server]:
    """An Apache of its own on 127.0.0.1 with every way to run both programs, and a gunicorn behind it.

    Paths: ``/mapserv`` and ``/mapsos`` (what ``mapsos cgi install`` writes) by mod_cgid, ``/alone/mapsos`` the same
    without its resident worker, ``/command/mapsos`` the plain command; ``/fcgi/mapserv`` by mod_fcgid, ``/wsgi`` by
    mod_wsgi, ``/gunicorn`` by mod_proxy_http. Two processes each for those that stay. Raises ProgramError, naming the
    packages, where Apache or a module is missing.
    """
    missing = [
        package
        for package, file in (
            ("apache2-bin", Path("/usr/sbin/apache2")),
            ("libapache2-mod-fcgid", APACHE_MODULES / "mod_fcgid.so"),
            ("libapache2-mod-wsgi-py3", APACHE_MODULES / "mod_wsgi.so"),
            ("apache2-utils", Path("/usr/bin/ab")),
        )
        if not file.exists()
    ]
    if missing:
        raise ProgramError(f"needs apt-get install --no-install-recommends {' '.join(missing)}")
    with reserve_port() as port, reserve_port() as gunicorn_port:
        place = folder / f"apache-{port}"
        place.mkdir(parents=True)
        place.chmod(0o755)
        (place / "state").mkdir(mode=0o777)
        (place / "state").chmod(0o777)
        (place / "cgi-bin").mkdir()
        subprocess.run([MAPSOS, "cgi", "install", place / "cgi-bin"], stdout=subprocess.DEVNULL, check=True)
        (place / "mapsos.wsgi").write_text("from mapsos.wsgi import application\n")
        (place / "apache.conf").write_text(_configure_apache(place, port, gunicorn_port, configuration))
        gunicorn = Program(
            (
                str(MAPSOS.with_name("gunicorn")),
                "--bind",
                f"127.0.0.1:{gunicorn_port}",
                "--workers",
                "2",
                "--no-control-socket",
                "--log-level",
                "error",
                "mapsos.wsgi:application",
            ),
            {"MAPSERVER_CONFIG_FILE": str(configuration), "HOME": str(place)},
            place,
        )
        apache = Program(("/usr/sbin/apache2", "-DFOREGROUND", "-f", str(place / "apache.conf")), {"HOME": str(place)})
        try:
            with _running(gunicorn, gunicorn_port), _running(apache, port) as server:
                yield replace(server, runtime=place / "state")
        finally:
            for pid in find_workers(place / "state"):
                os.kill(pid, signal.SIGTERM)
            shutil.rmtree(place, ignore_errors=True)


def find_workers(runtime: Path) -> list[int]:
    """The resident CGI workers whose sockets are in the folder; they are nobody's child."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"run_worker" in (entry / "cmdline").read_bytes():
                variables = (entry / "environ").read_bytes().split(b"\0")
                if b"XDG_RUNTIME_DIR=" + os.fsencode(runtime) in variables:
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def _configure_apache(place: Path, port: int, gunicorn_port: int, configuration: Path) -> str:
    names = ("mpm_event", "authz_core", "alias", "env", "cgid", "fcgid", "wsgi", "proxy", "proxy_http", "unixd")
    modules = "".join(
        f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n"
        for name in names
        if (APACHE_MODULES / f"mod_{name}.so").exists()
    )
    # Apache refuses to answer as root: as another user it must be able to read the checkout.
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    return f"""ServerRoot "{place}"
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {place}/apache.pid
ErrorLog {place}/error.log
LogLevel error
{modules}{user}
MaxRequestsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
StartServers 1
ThreadsPerChild 25
<Directory />
  Require all granted
  Options +ExecCGI
</Directory>
SetEnv MAPSERVER_CONFIG_FILE {configuration}
SetEnv HOME {place}/state
SetEnv XDG_RUNTIME_DIR {place}/state

ScriptSock {place}/cgid.sock
ScriptAlias /mapserv {MAPSERV}
ScriptAlias /mapsos {place}/cgi-bin/mapsos
ScriptAlias /command/mapsos {MAPSOS}
ScriptAlias /alone/mapsos {place}/cgi-bin/mapsos
<Location /alone>
  SetEnv MAPSOS_CGI_WORKER off
</Location>

FcgidIPCDir {place}/state
FcgidProcessTableFile {place}/state/fcgid_shm
FcgidInitialEnv MAPSERVER_CONFIG_FILE {configuration}
FcgidMaxProcesses 2
FcgidMinProcessesPerClass 2
FcgidMaxRequestsPerProcess 0
FcgidIOTimeout 600
Alias /fcgi/mapserv {MAPSERV}
<Location /fcgi>
  SetHandler fcgid-script
</Location>

WSGISocketPrefix {place}/state/wsgi
WSGIDaemonProcess benchmark processes=2 threads=1 display-name=mapsos-wsgi python-home={Path(sys.prefix)} \\
  python-path={ROOT} home={place}
WSGIScriptAlias /wsgi {place}/mapsos.wsgi process-group=benchmark application-group=%{{GLOBAL}}

ProxyPass /gunicorn http://127.0.0.1:{gunicorn_port}/
"""


@contextmanager
def _running(program: Program, port: int) -> Iterator[Server]:
    process = start_program(program, subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None:
                raise ProgramError(f"{program.command[0]} ended with {process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ProgramError(f"{program.command[0]} does not listen on port {port}") from error
                time.sleep(0.02)
        yield Server(process.pid, port)
    finally:
        stop_program(process)
