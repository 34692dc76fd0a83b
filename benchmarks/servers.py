"""The programs that are compared, as they are started: mapsos, mapserv, and Apache with both."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.processes import Program, ProgramError
from tests.support.servers import (
    APACHE_MODULES,
    MAPSERV,
    MAPSOS,
    ROOT,
    Server,
    reserve_port,
    running,
)


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
            with running(gunicorn, gunicorn_port), running(apache, port) as server:
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
