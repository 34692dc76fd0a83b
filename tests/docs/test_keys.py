"""docs/keys.md, followed word for word: the first key, a map that needs it, and a key of an old gateway."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.processes import Program
from tests.support.servers import MAPSOS, reserve_port, running
from tests.support.station_service import write_layer, write_rows

from .markdown import read, section

TEXT = read("docs/keys.md")
STORE = "/var/lib/mapsos"
OLD = "5f0c" * 10


def list_blocks(heading: str) -> list[str]:
    return re.findall(r"```text\n(.*?)\n```", section(TEXT, heading), re.S)


def run_line(line: str, folder: Path, **more: str) -> str:
    """Run a line of the document with the store in another folder, as the user of the test."""
    words = shlex.split(line.replace(STORE, str(folder / "store")).replace("5f0c...", OLD))
    if words[0] == "install":
        del words[words.index("-o") : words.index("-o") + 2]
    if words[:2] == ["sudo", "-u"]:
        del words[:3]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(words, env={"PATH": path, **more}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def send_as_curl(line: str) -> tuple[int, str]:
    """Send the request of a line, and return status and text: not every machine has the program."""
    program, url, *options = shlex.split(line)
    assert (program, options[::2]) == ("curl", ["-H"] * (len(options) // 2))
    request = Request(url, headers=dict(text.split(": ", 1) for text in options[1::2]))
    try:
        with urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the store that the first block makes, and the key that it prints."""
    folder = tmp_path_factory.mktemp("first")
    key = [run_line(line, folder) for line in list_blocks("The first key")[0].splitlines()][-1]
    return folder, key


def test_the_first_key_opens_a_map_that_needs_one(first: tuple[Path, str]) -> None:
    folder, key = first
    assert re.fullmatch("[0-9a-f]{40}", key)
    _, setting, metadata, command = list_blocks("The first key")
    write_rows(folder / "rows.gpkg", "GPKG", [("A", "2024-01-01T00:00:00Z", 1.0)])
    layer = write_layer(f'CONNECTIONTYPE OGR CONNECTION "{folder}/rows.gpkg" DATA "rows"')
    web = metadata.replace("METADATA", 'METADATA "sos_enable_request" "*"')
    (folder / "rivers.map").write_text(f'MAP NAME "rivers" {web} {layer} END')
    name, value = shlex.split(setting.replace(STORE, str(folder / "store")))
    with reserve_port() as port:
        serve = (str(MAPSOS), "serve", "--port", str(port), "--workers", "1", str(folder / "rivers.map"))
        environment = {"HOME": str(folder), "MAPSOS_LOG_LEVEL": "error", name: value}
        with running(Program(serve, environment, folder), port):
            address = f"http://127.0.0.1:{port}/rivers"
            line = command.replace("https://sensors.example.org/rivers", address).replace("5f0c...", key)
            status, text = send_as_curl(line.partition(" -H ")[0])
            assert (status, "api-key is needed" in text) == (401, True)
            status, text = send_as_curl(line)
            assert (status, ":Capabilities" in text) == (200, True)


def test_a_key_of_an_old_gateway_is_taken_over(first: tuple[Path, str]) -> None:
    folder, _ = first
    line = list_blocks("From an old gateway")[0].replace('"Water board"', '"Old board"')
    store = {"MAPSOS_KEYS": str(folder / "store" / "keys.db")}
    assert run_line(line, folder, **store) == ""
    shown = run_line('mapsos keys show "Old board"', folder, **store)
    assert OLD[:8] in shown
    assert "10000 a day" in shown
