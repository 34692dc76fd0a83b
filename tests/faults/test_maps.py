"""Maps that are edited into garbage while they are served, compiled by several at once, and clocks that jump."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mapsos.mapfile.compiled import load_compiled
from mapsos.web.messages import Request
from tests.support.serve_command import serving

from .conftest import CAPABILITIES, OBSERVATIONS, Place, ask, read

MakePlace = Callable[[str], Place]
COMMAND = Path(sys.executable).parent / "mapsos"
GARBAGE = 'MAP\n  NAME "measured"\n  LAYRE\n  END\nEND\n'


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["off", "on"])
def test_garbage_while_serving(make_place: MakePlace, tmp_path: Path, cache: str) -> None:
    place = make_place("csv")
    log = tmp_path / "log"
    folder = "off" if cache == "off" else str(tmp_path / "cache")
    with serving(place.mapfile, lines=2, MS_ERRORFILE=str(log), MAPSOS_CACHE=folder) as server:
        path = f"/rows?{CAPABILITIES}"
        good = server.ask(path)
        assert b"<ows:Title>good</ows:Title>" in good[1]
        place.mapfile.write_text(GARBAGE)
        assert [server.ask(path) for _ in range(3)] == [good] * 3
        told = [line for line in log.read_text().splitlines() if f"{place.mapfile}:3: unknown keyword LAYRE" in line]
        assert len(told) == 1
        assert "still served as it was before" in told[0]
        checked = subprocess.run([COMMAND, "check", place.mapfile], capture_output=True, text=True, check=False)
        assert checked.returncode == 2
        assert ":3: error: LAYRE" in checked.stdout
        place.write_map("mended")
        assert b"<ows:Title>mended</ows:Title>" in server.ask(path)[1]


def test_garbage_at_a_fresh_start_is_named(make_place: MakePlace) -> None:
    place = make_place("csv")
    place.mapfile.write_text(GARBAGE)
    application = place.open()
    text = read(ask(application, CAPABILITIES))
    assert b"Parsing error near (LAYRE):(line 3)" in text
    assert str(place.folder).encode() not in text
    place.write_map()
    assert b"</sos:Capabilities>" in read(ask(application, CAPABILITIES))


def test_two_processes_compile_one_map(make_place: MakePlace, tmp_path: Path) -> None:
    place = make_place("csv")
    environ = os.environ | {
        "MAPSOS_CACHE": str(tmp_path / "cache"), "MAPSOS_CGI_WORKER": "off", "MS_MAPFILE": str(place.mapfile),
        "REQUEST_METHOD": "GET", "QUERY_STRING": CAPABILITIES, "MAPSERVER_CONFIG_FILE": "",
    }  # fmt: skip
    processes = [subprocess.Popen([COMMAND], env=environ, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert answers[0] == answers[1]
    assert answers[0].rstrip().endswith(b"</sos:Capabilities>")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert load_compiled(str(tmp_path / "cache"), str(place.mapfile)) is not None


@pytest.mark.parametrize("days", [-20_000, -1, 1, 5000])
def test_files_from_another_time(make_place: MakePlace, tmp_path: Path, days: int) -> None:
    """Whatever the times of map, data and compiled map: what counts is that they differ from what they were."""
    place = make_place("csv")
    moment = time.time() + days * 86_400
    for file in place.folder.iterdir():
        os.utime(file, (moment, moment))
    options = {"MAPSOS_CACHE": str(tmp_path / "cache")}
    first = read(ask(place.open(**options), CAPABILITIES))
    for file in (tmp_path / "cache").iterdir():
        os.utime(file, (moment, moment))
    application = place.open(**options)
    assert read(ask(application, CAPABILITIES)) == first
    place.write_map("changed")
    assert b"<ows:Title>changed</ows:Title>" in read(ask(application, CAPABILITIES))
    before = read(ask(application)).count(b"<om:member>")
    with place.data.open("a") as file:
        file.write("S1,2020-01-01T00:00:00Z,1,2,3\n")
    os.utime(place.data, (moment - 5, moment - 5))
    assert read(ask(application)).count(b"<om:member>") == before + 1


def test_a_clock_that_jumps(make_place: MakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answers before, after and far away; only ``now`` follows the clock."""
    place = make_place("csv")
    application = place.open()
    whole = read(ask(application, CAPABILITIES))
    now = f"{OBSERVATIONS}&eventTime=2020-01-10T00:00:00Z/now"

    def count() -> int:
        return read(application.answer(Request("GET", now))).count(b"<om:member>")

    late = count()
    real = time.time
    for offset in (-400 * 86_400, 10 * 365 * 86_400):
        monkeypatch.setattr(time, "time", lambda offset=offset: real() + offset)
        monkeypatch.setattr(time, "time_ns", lambda offset=offset: int((real() + offset) * 1e9))
        assert read(ask(application, CAPABILITIES)) == whole
        assert count() == late
    instant = 1_578_700_800  # 2020-01-11
    monkeypatch.setattr("mapsos.sos.v1.interface.current_time", lambda: instant * 1_000_000)
    assert 0 < count() < late


