"""What is a change of a file that is being read, and what is not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from mapsos.sources.errors import SourceError
from mapsos.sources.file_watch import FileWatch
from mapsos.sources.identity import identity, list_files
from mapsos.terms.layer_source import LayerSource, SourceKind

LINES = "time,value\n" + "".join(f"2020-01-01T00:00:{second:02},{second}\n" for second in range(60)) * 20


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("2020-01-02T00:00:00,1\n")


def replace(path: Path) -> None:
    beside = path.with_suffix(".new")
    beside.write_text("time,value\n")
    beside.rename(path)


def write_longer(path: Path) -> None:
    path.write_text(LINES.replace("00:00:3", "00:01:3") + "2020-01-02T00:00:00,1\n")


def truncate(path: Path) -> None:
    os.truncate(path, 100)


def write_same_size(path: Path) -> None:
    path.write_text(LINES[::-1])


@pytest.mark.parametrize("through", ["file", "vrt", "nested", "written within"])
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (append, False),
        (replace, False),
        (Path.unlink, False),
        (write_longer, True),
        (truncate, True),
        (write_same_size, True),
        (lambda path: path.write_text(""), True),
    ],
    ids=["lines added", "replaced", "deleted", "longer", "cut off", "same size", "emptied"],
)
def test_tables(tmp_path: Path, change: Callable[[Path], None], refused: bool, through: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(LINES)
    os.utime(path, (1, 1))
    named = path
    if through == "vrt":
        named = tmp_path / "rows.vrt"
        source = '<SrcDataSource relativeToVRT="1">rows.csv</SrcDataSource>'
        named.write_text(f'<OGRVRTDataSource><OGRVRTLayer name="rows">{source}</OGRVRTLayer></OGRVRTDataSource>')
    elif through != "file":
        (tmp_path / "in").mkdir()
        inner, named = tmp_path / "in" / "inner.vrt", tmp_path / "rows.vrt"
        layer = '<OGRVRTDataSource><OGRVRTLayer name="rows">{}</OGRVRTLayer></OGRVRTDataSource>'
        text = layer.format('<SrcDataSource relativeToVRT="1"><![CDATA[../rows.csv]]></SrcDataSource>')
        inner.write_text(text)
        source = "in/inner.vrt" if through == "nested" else escape(text.replace("../rows.csv", str(path)))
        named.write_text(layer.format(f'<SrcDataSource relativeToVRT="1">{source}</SrcDataSource>'))
    watch = FileWatch(LayerSource("layer", SourceKind.OGR, str(named)))
    watch.check()
    change(path)
    if not refused:
        watch.check()
        return
    with pytest.raises(SourceError) as error:
        watch.check()
    assert error.value.message == "data source of layer layer was changed while it was read"
    assert path.name in error.value.detail


def test_vrts_that_name_each_other_are_read_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one.vrt", tmp_path / "other.vrt"
    for path, named in ((one, "other.vrt"), (other, "one.vrt")):
        path.write_text(f'<SrcDataSource relativeToVRT="1">{named}</SrcDataSource>' * 20)
    assert set(list_files(LayerSource("layer", SourceKind.OGR, str(one)))) == {str(one), str(other)}


def test_what_sqlite_does_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "rows.gpkg"
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE TABLE rows (value)")
    os.utime(path, (1, 1))
    watch = FileWatch(LayerSource("layer", SourceKind.OGR, str(path)))
    with database:
        database.executemany("INSERT INTO rows VALUES (?)", [("x" * 1000,)] * 100)
    watch.check()
    database.close()
    os.truncate(path, 8192)
    with pytest.raises(SourceError):
        watch.check()


def test_a_copy_over_a_database_is_a_change(tmp_path: Path) -> None:
    path, other = tmp_path / "rows.gpkg", tmp_path / "other.gpkg"
    for file, rows in ((path, 50), (other, 1)):
        database = sqlite3.connect(file)
        database.execute("CREATE TABLE rows (value)")
        for row in range(rows):
            with database:
                database.execute("INSERT INTO rows VALUES (?)", (row,))
        database.close()
    os.utime(path, (1, 1))
    watch = FileWatch(LayerSource("layer", SourceKind.OGR, str(path)))
    path.write_bytes(other.read_bytes())
    with pytest.raises(SourceError):
        watch.check()


def test_a_file_that_only_has_the_same_name_is_not_watched(tmp_path: Path) -> None:
    path, table = tmp_path / "rows.gpkg", tmp_path / "rows.dbf"
    for file in (path, table):
        file.write_bytes(b"x" * 2000)
        os.utime(file, (1, 1))
    source = LayerSource("layer", SourceKind.OGR, str(path))
    watch, state = FileWatch(source), identity(source)
    table.write_bytes(b"y" * 2000)
    watch.check()
    assert identity(source) == state
    path.write_bytes(b"y" * 2000)
    assert identity(source) != state


@pytest.mark.parametrize("connection", ["PG:dbname=x", "/vsimem/none.csv", "/nowhere/rows.csv", "/tmp"])
def test_what_is_no_file_is_not_watched(connection: str) -> None:
    watch = FileWatch(LayerSource("layer", SourceKind.OGR, connection))
    watch.check()
    assert not watch.is_replaced()
