"""Readers that are kept open: one user at a time, never older than the data, never more or longer than said."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mapsos.sources import pool as pools
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.pool import ReaderPool, close_idle_readers
from mapsos.sources.query import LayerQuery
from mapsos.sources.reader import Reader, ReadPlan
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource

from .conftest import DRIVERS, ROWS, Row, write_layer


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    made = ReaderPool()
    yield made
    made.close_idle()


@pytest.fixture(params=["gpkg", "sqlite", "fgb", "geojson", "shp"])
def changing(sources: dict[str, LayerSource], request: pytest.FixtureRequest, tmp_path: Path) -> LayerSource:
    """The rows in a file of the test's own."""
    source = sources[request.param]
    for part in Path(source.connection).parent.glob("observations.*"):
        shutil.copy(part, tmp_path)
    return dataclasses.replace(source, connection=str(tmp_path / Path(source.connection).name))


def read_ids(source: LayerSource) -> list[str]:
    with open_layer(source) as layer:
        return [
            text for batch in layer.read(LayerQuery(source, texts=("id",))) for text in batch.texts["id"].to_pylist()
        ]


def rows_of(reader: Reader) -> int:
    return sum(rows.count for rows in reader.rows(ReadPlan(("id",), False)))


def test_one_that_was_given_back_is_used_again(pool: ReaderPool, changing: LayerSource) -> None:
    reader = pool.acquire(changing)
    before = rows_of(reader)
    pool.release(reader)
    again = pool.acquire(changing)
    assert again is reader
    assert rows_of(again) == before
    other = pool.acquire(changing)
    assert other is not reader
    again.close()
    other.close()


def test_a_reader_is_for_its_source_only(pool: ReaderPool, sources: dict[str, LayerSource]) -> None:
    reader = pool.acquire(sources["gpkg"])
    pool.release(reader)
    assert pool.acquire(dataclasses.replace(sources["gpkg"], native_filter="id = 1")) is not reader
    assert pool.acquire(sources["gpkg"]) is reader


def rewrite(source: LayerSource, rows: tuple[Row, ...]) -> None:
    """Other rows in the place of the file, as a program does that writes beside it and renames."""
    path = Path(source.connection)
    beside = path.parent / "beside"
    beside.mkdir(exist_ok=True)
    write_layer(beside / path.name, *DRIVERS[path.suffix[1:]], rows)
    for part in beside.iterdir():
        part.replace(path.parent / part.name)


def test_a_rewritten_file_is_seen_at_once(changing: LayerSource) -> None:
    for rows in (ROWS[:4], ROWS[:1], ROWS[:3]):
        rewrite(changing, rows)
        assert read_ids(changing) == [str(row.id) for row in rows]


def test_a_deleted_file_is_an_error_at_once(changing: LayerSource) -> None:
    assert len(read_ids(changing)) > 1
    Path(changing.connection).unlink()
    with pytest.raises(SourceError):
        read_ids(changing)


def open_writer(path: Path | str) -> sqlite3.Connection:
    """Another program that writes, without the functions that the triggers of a GeoPackage need."""
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    for (trigger,) in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        writer.execute(f'DROP TRIGGER "{trigger}"')
    return writer


@pytest.mark.parametrize("mode", ["delete", "wal", "truncate"])
def test_rows_that_another_program_adds_are_seen_at_once(
    sources: dict[str, LayerSource], tmp_path: Path, mode: str
) -> None:
    """Also what makes the layer's extent and columns: a kept reader would still have the old ones."""
    path = tmp_path / "observations.gpkg"
    shutil.copy(sources["gpkg"].connection, path)
    source = dataclasses.replace(sources["gpkg"], connection=str(path))
    writer = open_writer(path)
    writer.execute(f"PRAGMA journal_mode = {mode}")
    assert len(read_ids(source)) == len(ROWS)
    for number in range(3):
        writer.execute("INSERT INTO observations (id, name) VALUES (?, 'new')", (100 + number,))
        assert len(read_ids(source)) == len(ROWS) + number + 1
    writer.execute("ALTER TABLE observations ADD COLUMN late TEXT")
    with open_layer(source) as layer:
        assert layer.find_column("late") is not None
    writer.close()


@pytest.mark.parametrize("changing", ["gpkg", "sqlite"], indirect=True)
def test_a_kept_reader_keeps_nobody_from_writing(changing: LayerSource) -> None:
    for columns in (("id",), ("id", "at")):
        with open_layer(changing) as layer:
            list(layer.read(LayerQuery(changing, texts=columns, predicate=p.BBox(-180, -90, 180, 90))))
            list(layer.read(LayerQuery(changing, texts=columns)))
            layer.distinct("name")
            layer.extent()
        writer = open_writer(changing.connection)
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("UPDATE observations SET name = 'changed' WHERE id = 1")
        writer.execute("COMMIT")
        writer.close()


def test_a_reading_that_was_broken_off_is_not_kept(sources: dict[str, LayerSource]) -> None:
    close_idle_readers()
    source = sources["gpkg"]
    with open_layer(source) as layer:
        reading = layer.read(LayerQuery(source, texts=("id",), batch_rows=2))
        next(reading)
        reading.close()
    assert pools._pool.count_idle() == 0
    with open_layer(source) as layer:
        list(layer.read(LayerQuery(source, texts=("id",), batch_rows=2)))
    assert pools._pool.count_idle() == 1


def test_no_more_are_kept_than_said(sources: dict[str, LayerSource]) -> None:
    pool = ReaderPool(most=2)
    readers = [pool.acquire(sources["gpkg"]) for _ in range(4)]
    for reader in readers:
        pool.release(reader)
    assert pool.count_idle() == 2
    assert pool.acquire(sources["gpkg"]) is readers[3]
    pool.close_idle()


def test_what_is_idle_for_long_is_closed(sources: dict[str, LayerSource]) -> None:
    pool = ReaderPool(idle_seconds=0.01)
    closed = threading.Event()
    reader = pool.acquire(sources["gpkg"])
    close = reader.close

    def note() -> None:
        close()
        closed.set()

    reader.close = note  # type: ignore[method-assign]
    pool.release(reader)
    assert closed.wait(60)
    assert pool.count_idle() == 0
    pool.release(pool.acquire(sources["gpkg"]))
    assert pool.count_idle() <= 1
    pool.close_idle()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_cannot_be_closed_keeps_no_other(sources: dict[str, LayerSource]) -> None:
    pool = ReaderPool(idle_seconds=0.01)
    failed, closed = threading.Event(), threading.Event()
    broken, sound = pool.acquire(sources["gpkg"]), pool.acquire(sources["gpkg"])
    close_broken, close_sound = broken.close, sound.close

    def fail() -> None:
        close_broken()
        failed.set()
        raise SourceError("the connection is gone")

    def note() -> None:
        close_sound()
        closed.set()

    broken.close, sound.close = fail, note  # type: ignore[method-assign]
    pool.release(broken)
    assert failed.wait(60)
    pool.release(sound)
    assert closed.wait(60)


def test_those_used_just_now_stay(pool: ReaderPool, sources: dict[str, LayerSource]) -> None:
    pool.release(pool.acquire(sources["gpkg"]))
    pool.close_idle(older_than=1000.0)
    assert pool.count_idle() == 1


def test_one_of_a_database_that_broke_is_replaced(sources: dict[str, LayerSource]) -> None:
    pool = ReaderPool()
    reader = pool.acquire(sources["gpkg"])
    pool.release(reader)
    reader.is_fresh = lambda: False  # type: ignore[method-assign]
    assert pool.acquire(sources["gpkg"]) is not reader
    assert pool.count_idle() == 0


def test_threads_never_share_one(pool: ReaderPool, sources: dict[str, LayerSource]) -> None:
    in_use: set[int] = set()
    faults: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        for _ in range(30):
            reader = pool.acquire(sources["gpkg"])
            with lock:
                if id(reader) in in_use:
                    faults.append("shared")
                in_use.add(id(reader))
            if rows_of(reader) != len(ROWS):
                faults.append("rows")
            with lock:
                in_use.discard(id(reader))
            pool.release(reader)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert 1 <= pool.count_idle() <= 4


def test_a_child_process_has_none_of_the_parents(sources: dict[str, LayerSource]) -> None:
    source = sources["gpkg"]
    expected = read_ids(source)
    assert in_child(lambda: pools._pool.count_idle() == 0 and read_ids(source) == expected)
    assert read_ids(source) == expected


def in_child(holds: Callable[[], bool]) -> bool:
    """What a forked process finds."""
    child = os.fork()
    if child == 0:
        os._exit(0 if holds() else 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    return False


def test_inline_features_are_not_kept(pool: ReaderPool, inline: LayerSource) -> None:
    pool.release(pool.acquire(inline))
    assert pool.count_idle() == 0
