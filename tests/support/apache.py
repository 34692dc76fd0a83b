"""An Apache of one's own, which runs the installed command as admins have it run mapserv."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import reserve_port
from tests.support.workers import wait_for

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parents[2] / "examples"
MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """\
ServerRoot "{folder}"
ServerName sensors.example.org
Listen 127.0.0.1:{port}
PidFile "{folder}/pid"
ErrorLog "{folder}/error.log"
Timeout 600
{identity}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule env_module {modules}/mod_env.so
LoadModule cgi_module {modules}/mod_cgi.so
StartServers 1
SetEnv MAPSERVER_CONFIG_FILE "{conf}"
SetEnv MAPSOS_CGI_WORKER {worker}
SetEnv XDG_RUNTIME_DIR "{runtime}"
ScriptAlias /cgi-bin/mapsos "{command}"
"""


@contextmanager
def run_apache(
    folder: Path, runtime: Path, worker: str, command: Path = COMMAND, conf: Path = EXAMPLES / "mapsos.conf"
) -> Iterator[int]:
    """The port of an Apache that runs the program by CGI."""
    named = {"conf": conf, "command": command, "runtime": runtime, "worker": worker}
    with start_apache(folder, CONFIGURATION, **named) as number:
        yield number


@contextmanager
def start_apache(folder: Path, configuration: str, **named: str | Path) -> Iterator[int]:
    """The port of an Apache with this configuration, in which names stand for what they are given as.

    ``folder``, ``port``, ``modules`` and ``identity`` (whom it works as) are given here. It is ended with the block,
    and must have said nothing.
    """
    apache = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if apache is None:
        pytest.skip("apache2 is not installed here")
    identity = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    with reserve_port() as number:
        (folder / "apache.conf").write_text(
            configuration.format(folder=folder, port=number, modules=MODULES, identity=identity, **named)
        )
        # It ends its whole process group with itself: that must not be ours.
        process = subprocess.Popen(
            [apache, "-f", folder / "apache.conf", "-DFOREGROUND"],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            wait_for_server(number, process)
            yield number
        finally:
            process.terminate()
            _, complaints = process.communicate(timeout=60)
    assert complaints == ""


def wait_for_server(port: int, process: subprocess.Popen[str]) -> None:
    """Come back as soon as somebody listens; the process must not end meanwhile."""

    def listens() -> bool:
        assert process.poll() is None, process.communicate()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, "a server that listens")
