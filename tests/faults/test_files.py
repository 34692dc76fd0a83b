"""Data files that are cut off, written over, replaced, deleted or locked, between requests and under way."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from mapsos.web.messages import close_body
from tests.support.servers import serving

from .conftest import END, KINDS, OBSERVATIONS, ROWS, Client, Place, ask, read

MakePlace = Callable[[str], Place]


_whole: dict[str, bytes] = {}


def read_whole(place: Place) -> bytes:
    """The answer when nothing is wrong."""
    if place.kind not in _whole:
        _whole[place.kind] = read(ask(place.open()))
        assert _whole[place.kind].count(b"<om:member>") == ROWS
    return _whole[place.kind]


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def write_over(path: Path) -> None:
    """Another content of the same length, where the file lies."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 2)
        file.write(os.urandom(size - size // 2))


def replace(path: Path) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(path.read_bytes()[:5000])
    beside.rename(path)


@pytest.mark.parametrize(("kind", "fault"), [*product(KINDS, (cut_off, write_over)), ("csv", empty), ("shp", empty)])
def test_a_file_damaged_under_way_breaks_the_answer_off(
    make_place: MakePlace, kind: str, fault: Callable[[Path], None]
) -> None:
    place = make_place(kind)
    application = place.open()
    whole = read_whole(place)
    good = place.data.read_bytes()
    response = ask(application)
    chunks = iter(response.body)
    parts = [bytes(next(chunks))]
    fault(place.data)
    with pytest.raises(Exception, match="was changed while it was read|cannot be read"):
        parts += map(bytes, chunks)
    close_body(response.body)
    begun = b"".join(parts)
    assert END not in begun
    # Nothing of what was sent is wrong.
    assert whole.startswith(begun[: begun.rindex(b"</om:member>")])
    place.data.write_bytes(good)
    assert read(ask(application)) == whole


@pytest.mark.parametrize("fault", [Path.unlink, replace])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_taken_away_under_way_is_read_to_its_end(
    make_place: MakePlace, kind: str, fault: Callable[[Path], None]
) -> None:
    place = make_place(kind)
    application = place.open()
    whole = read_whole(place)
    good = place.data.read_bytes()
    response = ask(application)
    chunks = iter(response.body)
    parts = [bytes(next(chunks))]
    fault(place.data)
    parts += map(bytes, chunks)
    assert b"".join(parts) == whole
    after = read(ask(application))
    assert after != whole
    assert END not in after or kind in ("csv", "vrt")
    place.data.unlink(missing_ok=True)
    place.data.write_bytes(good)
    assert read(ask(application)) == whole


@pytest.mark.parametrize("fault", [cut_off, Path.unlink])
@pytest.mark.parametrize("kind", ["shp", "gpkg", "geojson", "fgb"])
def test_a_file_damaged_between_requests_is_an_exception(
    make_place: MakePlace, kind: str, fault: Callable[[Path], None]
) -> None:
    place = make_place(kind)
    application = place.open(MAPSOS_HTTP_STATUS="on")
    whole = read_whole(place)
    good = place.data.read_bytes()
    fault(place.data)
    # What the damage spares may come first: then the answer begins, and breaks off.
    response = ask(application)
    if response.error:
        text = read(response)
        assert response.status == 500
        assert b"data source of layer rows cannot be read" in text
        assert str(place.folder).encode() not in text
    else:
        with pytest.raises(Exception, match="cannot be read"):
            read(response)
    place.data.write_bytes(good)
    assert read(ask(application)) == whole


def test_a_locked_database_is_an_exception_until_it_is_free(make_place: MakePlace) -> None:
    place = make_place("gpkg")
    application = place.open()
    whole = read_whole(place)
    database = sqlite3.connect(place.data, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    text = read(ask(application))
    assert b"ExceptionReport" in text
    assert b"data source of layer rows cannot be read" in text
    database.execute("ROLLBACK")
    database.close()
    assert read(ask(application)) == whole


def test_a_database_that_is_written_to_is_read_as_it_was(make_place: MakePlace) -> None:
    place = make_place("gpkg")
    application = place.open()
    whole = read_whole(place)
    response = ask(application)
    chunks = iter(response.body)
    parts = [bytes(next(chunks))]
    database = sqlite3.connect(place.data, timeout=0.1)
    # A writer waits for the reader, or has its way once the reader has all that it wants.
    with contextlib.suppress(sqlite3.OperationalError), database:
        database.execute("CREATE TABLE more (value)")
    database.close()
    parts += map(bytes, chunks)
    assert b"".join(parts) == whole


def test_lines_that_are_added_under_way_break_nothing(make_place: MakePlace) -> None:
    place = make_place("csv")
    application = place.open()
    response = ask(application)
    chunks = iter(response.body)
    parts = [bytes(next(chunks))]
    with place.data.open("a") as file:
        file.write("S1,2020-02-01T00:00:00Z,1,2,3\n")
    parts += map(bytes, chunks)
    assert b"".join(parts).rstrip().endswith(END)


@pytest.mark.slow
def test_the_client_can_tell(make_place: MakePlace) -> None:
    """Over HTTP: no last chunk, and the next answer is whole again."""
    place = make_place("csv")
    copy = place.folder / "copy"
    shutil.copy2(place.data, copy)
    with serving(place.mapfile) as server:
        client = Client(server.port, f"/rows?{OBSERVATIONS}")
        assert client.receive(100).startswith(b"HTTP/1.1 200 OK")
        cut_off(place.data)
        assert not client.drain()
        copy.rename(place.data)
        assert Client(server.port, f"/rows?{OBSERVATIONS}").drain()
