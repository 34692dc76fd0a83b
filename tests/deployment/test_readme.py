"""README.md word for word on a bare Debian: script/setup has been run there, and nothing else."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.docs.markdown import Example, read, read_examples
from tests.docs.scenario import read_urls

from .deployed import CAPABILITIES
from .guide import OUTPUTS, find_line
from .machine import Machine

pytestmark = pytest.mark.slow

FOLDER = "/srv/try"
ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def machine(start_machine: Callable[..., Machine]) -> Machine:
    machine = start_machine()
    machine.run(f"mkdir {FOLDER}")
    return machine


def ask(machine: Machine, url: str) -> str:
    """The body that a browser would show, as soon as somebody listens."""
    assert url.startswith(f"{ADDRESS}/")
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
    connection.sock = machine.connect_soon(8080, "try")
    try:
        connection.request("GET", quote(url.removeprefix(ADDRESS), "/?&=%:;,"))
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def serve(machine: Machine, command: str) -> None:
    """Run a command that goes on until it is ended."""
    where = f"--working-directory={FOLDER} --setenv=PATH=/srv/mapsos/.venv/bin:/usr/bin:/bin"
    machine.run(f"systemd-run --quiet --collect --unit=try {where} bash -c 'exec {command}'")


def do(machine: Machine, example: Example, output: str) -> str:
    """Do what one block says, and give what it printed; a block that shows something is held against that."""
    if example.file is not None:
        (machine.root / FOLDER.lstrip("/") / example.file).write_text(example.text, "utf-8")
    elif example.language in OUTPUTS:
        assert find_line(output, example.text) is None, f"{find_line(output, example.text)}\nis not in\n{output}"
    elif example.language == "url":
        return "".join(ask(machine, url) for url in read_urls(example.text))
    elif example.text.startswith("mapsos serve"):
        serve(machine, example.text.strip())
    else:
        done = machine.run(f"cd {FOLDER}\nPATH=/srv/mapsos/.venv/bin:$PATH\n{example.text}", check=False)
        assert done.returncode == int(example.option("exit") or 0), done.stdout
        return done.stdout
    return output


def test_a_mapfile_in_five_minutes(machine: Machine) -> None:
    output = ""
    try:
        for example in read_examples(read("README.md")):
            output = do(machine, example, output)
    finally:
        machine.run("systemctl stop try", check=False)
    assert "<om:" in output


def test_the_server_of_the_examples(machine: Machine) -> None:
    assert machine.run("/srv/mapsos/script/setup").stdout == ""
    serve(machine, "/srv/mapsos/script/server")
    try:
        assert "<sos:Capabilities" in ask(machine, f"{ADDRESS}/weather?{CAPABILITIES}")
    finally:
        machine.run("systemctl stop try")
