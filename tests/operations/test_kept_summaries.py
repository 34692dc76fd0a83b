"""Summaries that took long are found again without reading a row, until the data or the question change."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.observations import kept_summaries
from mapsos.operations.observations.kept_summaries import forget_summaries
from mapsos.sources.layer_rows import LayerRows
from mapsos.web.messages import Request

from .conftest import ROWS, World, write_stations

ASKED = {"aggregateInterval": "P1D", "aggregateFunction": "avg,count,max"}


@pytest.fixture(autouse=True)
def all_are_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kept_summaries, "KEEP_SECONDS", 0.0)
    forget_summaries()
    yield
    forget_summaries()


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each reading of rows."""
    found: list[int] = []
    read = LayerRows.rows

    def count(self: LayerRows, *arguments: object, **named: object) -> object:
        found.append(1)
        return read(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(LayerRows, "rows", count)
    return found


@pytest.fixture
def settled(world: World) -> World:
    world.write_map()
    settle(world)
    return world


def settle(world: World, seconds: float = 60) -> None:
    """Make the data as old as they need to be."""
    then = time.time() - seconds
    os.utime(world.folder / "obs.gpkg", (then, then))


def ask(world: World, cache: Path | None, response_format: str = "text/csv", **parameters: str) -> bytes:
    settings = read_settings(
        {"MS_MAPFILE": str(world.folder / "service.map"), "MAPSOS_CACHE": "off" if cache is None else str(cache)}
    )
    query = {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "offering": "off"}
    query |= {"observedProperty": "op", "responseFormat": response_format, **ASKED, **parameters}
    response = Application(settings).answer(Request(method="GET", query=urlencode(query), environ={}))
    assert response.status == 200
    return b"".join(map(bytes, response.body))


def list_files(cache: Path) -> list[Path]:
    return sorted((cache / "summaries").glob("*")) if (cache / "summaries").exists() else []


def test_the_same_question_reads_no_row(settled: World, passes: list[int]) -> None:
    first = ask(settled, None)
    assert len(passes) == 1
    assert ask(settled, None) == first
    assert ask(settled, None, "application/json") != first
    assert len(passes) == 1
    assert first.count(b"\n") == 1 + 5


@pytest.mark.parametrize(
    "format", ["text/csv", "application/json", "application/geo+json", 'text/xml; subtype="om/1.0.0"']
)
def test_another_process_finds_it_in_the_cache_folder(
    settled: World, passes: list[int], tmp_path: Path, format: str
) -> None:
    cache = tmp_path / "cache" / "mapsos"
    first = ask(settled, cache, format)
    (file,) = list_files(cache)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == stat.S_IMODE(cache.stat().st_mode) == 0o700
    forget_summaries()
    assert ask(settled, cache, format) == first
    assert len(passes) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"aggregateInterval": "P1M"},
        {"timezone": "Europe/Berlin"},
        {"aggregateFunction": "avg"},
        {"procedure": "A"},
        {"eventTime": "2001-01-02/2001-01-03"},
        {"bbox": "0,0,20,50.5"},
        {"responseFormat": "application/json", "srsName": "EPSG:3857"},
    ],
)
def test_another_question_is_another_summary(
    settled: World, passes: list[int], tmp_path: Path, other: dict[str, str]
) -> None:
    format = other.pop("responseFormat", "text/csv")
    ask(settled, tmp_path / "cache")
    found = ask(settled, tmp_path / "cache", format, **other)
    assert len(passes) == 2
    forget_summaries()
    shutil.rmtree(tmp_path / "cache")
    assert ask(settled, None, format, **other) == found


def test_changed_data_are_read(settled: World, passes: list[int], tmp_path: Path) -> None:
    first = ask(settled, tmp_path / "cache")
    write_stations(settled.folder / "obs.gpkg", [*ROWS, ("A", "2001-01-01T01:00:00Z", 3.5, 10.0, 50.0)])
    settle(settled, 30)
    for _ in range(2):
        changed = ask(settled, tmp_path / "cache")
        assert changed != first
    assert len(passes) == 2
    assert len(list_files(tmp_path / "cache")) == 1


def test_data_that_were_changed_just_now_are_not_kept(settled: World, passes: list[int], tmp_path: Path) -> None:
    # Not now: the two answers may take longer than data are new.
    settle(settled, -3600)
    assert ask(settled, tmp_path / "cache") == ask(settled, tmp_path / "cache")
    assert len(passes) == 2
    assert not list_files(tmp_path / "cache")


def test_data_that_change_meanwhile_are_not_kept(
    settled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter(["one", "two"])
    monkeypatch.setattr(kept_summaries, "_write_state", lambda source: next(states))
    ask(settled, tmp_path / "cache")
    assert not list_files(tmp_path / "cache")


def test_what_was_quick_is_not_kept(
    settled: World, passes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_summaries, "KEEP_SECONDS", 3600.0)
    assert ask(settled, tmp_path / "cache") == ask(settled, tmp_path / "cache")
    assert len(passes) == 2
    assert not list_files(tmp_path / "cache")


@pytest.mark.parametrize("fault", ["content", "cut", "link", "writable", "folder", "version", "elsewhere"])
def test_a_file_that_is_not_to_be_trusted_is_not_read(
    settled: World, passes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    cache = tmp_path / "cache"
    first = ask(settled, cache)
    (file,) = list_files(cache)
    if fault == "content":
        file.write_bytes(b"nothing of the kind")
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:300])
    elif fault == "link":
        file.rename(tmp_path / "other")
        file.symlink_to(tmp_path / "other")
    elif fault == "writable":
        file.chmod(0o666)
    elif fault == "folder":
        file.parent.chmod(0o777)
    elif fault == "version":
        monkeypatch.setattr(kept_summaries, "code_version", lambda: "mapsos 0.0")
    else:
        other = ask(settled, cache, timezone="Europe/Berlin")
        assert other != first
        (second,) = set(list_files(cache)) - {file}
        second.replace(file)
        passes.pop()
    forget_summaries()
    assert ask(settled, cache) == first
    assert len(passes) == 2


def test_what_was_used_least_goes_first(settled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    ask(settled, cache)
    (first,) = list_files(cache)
    monkeypatch.setattr(kept_summaries, "MOST_BYTES_ON_DISK", 3 * first.stat().st_size)
    for age, zone in ((50, "+01:00"), (40, "+02:00")):
        before = set(list_files(cache))
        ask(settled, cache, timezone=zone)
        (new,) = set(list_files(cache)) - before
        os.utime(new, (time.time() - age,) * 2)
    oldest = min(list_files(cache), key=lambda path: path.stat().st_mtime)
    assert oldest != first
    ask(settled, cache, timezone="+03:00")
    assert oldest not in list_files(cache)
    assert first in list_files(cache)
    assert sum(path.stat().st_size for path in list_files(cache)) <= kept_summaries.MOST_BYTES_ON_DISK


def test_memory_is_bounded(settled: World, passes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    ask(settled, None)
    ask(settled, None, timezone="+01:00")
    size = kept_summaries._store._bytes
    assert size > 0
    monkeypatch.setattr(kept_summaries, "MOST_BYTES", size)
    # One of them alone is more than its part of what may be kept now.
    ask(settled, None, timezone="+02:00")
    ask(settled, None, timezone="+02:00")
    assert len(passes) == 4
    (source, _, _), found = next(iter(kept_summaries._store._kept.items()))
    kept_summaries._store.keep((source, "text", "state"), found)
    assert kept_summaries._store._bytes <= size
    ask(settled, None, timezone="+01:00")
    assert len(passes) == 4
    ask(settled, None)
    assert len(passes) == 5


def test_a_folder_that_cannot_be_made_is_done_without(settled: World, passes: list[int], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    first = ask(settled, tmp_path / "file" / "cache")
    assert ask(settled, tmp_path / "file" / "cache") == first
    assert len(passes) == 1


def test_layers_without_an_identity_are_read(
    settled: World, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_summaries, "identity", lambda source: None)
    assert ask(settled, None) == ask(settled, None)
    assert len(passes) == 2


def test_nothing_is_kept_too(settled: World, passes: list[int], tmp_path: Path) -> None:
    first = ask(settled, tmp_path / "cache", eventTime="1900")
    forget_summaries()
    assert ask(settled, tmp_path / "cache", eventTime="1900") == first
    assert first.count(b"\n") == 1
    assert len(passes) == 1
