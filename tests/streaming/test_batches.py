"""No path goes row by row in Python, holds the answer, or reads ahead of its client."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pytest

import mapsos
from mapsos.columns.batches import Batch
from mapsos.sources.layer import Layer
from mapsos.sources.query import BATCH_ROWS
from mapsos.web.messages import Response

from .conftest import MEASUREMENT, MODELS, Answers

PACKAGE = str(Path(mapsos.__file__).parent)
ROWS = 100_000


class Watched:
    """What `Layer.read` delivered: how many batches, and those of them that somebody still holds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = 0
        self.alive: weakref.WeakSet[Batch] = weakref.WeakSet()
        read = Layer.read

        def watch(layer: Layer, *arguments: Any, **options: Any) -> Generator[Batch]:
            batches = read(layer, *arguments, **options)
            try:
                for batch in batches:
                    self.read += 1
                    self.alive.add(batch)
                    yield batch
                    del batch
            finally:
                batches.close()

        monkeypatch.setattr(Layer, "read", watch)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_a_client_that_waits_holds_few_batches(
    answers: Answers, watched: Watched, close_all: Callable[[Response], None]
) -> None:
    response = answers.ask(answers.map_repeated(ROWS), MEASUREMENT)
    assert watched.read <= 2
    size = 0
    for number, chunk in enumerate(response.body):
        size += len(chunk)
        # A batch is several chunks: nobody may be more than a few batches ahead of what was taken.
        assert watched.read <= 3 + size // 1_000_000
        assert len(watched.alive) <= 3
        if number == 40:
            break
    before = watched.read
    close_all(response)
    assert watched.read <= before + 1
    assert not watched.alive


@pytest.mark.parametrize("model", MODELS)
def test_all_is_read_and_nothing_kept(answers: Answers, watched: Watched, model: str) -> None:
    # What other tests have kept is none of its own.
    before = pa.total_allocated_bytes()
    response = answers.ask(answers.map_repeated(ROWS), MODELS[model])
    most_batches = most_bytes = 0
    for _ in response.body:
        most_batches = max(most_batches, len(watched.alive))
        most_bytes = max(most_bytes, pa.total_allocated_bytes() - before)
    assert watched.read >= ROWS // BATCH_ROWS
    assert most_batches <= 20
    assert most_bytes < 64_000_000


@pytest.mark.parametrize(
    ("dataset", "projection", "model"),
    [
        ("points", 4326, "measurement"),
        ("points", 4326, "datablock"),
        ("distinct", 4326, "measurement"),
        ("distinct", 4326, "datablock"),
        ("points_shapefile", 4326, "measurement"),
        ("points_shapefile", 4326, "datablock"),
        ("points_flatgeobuf", 4326, "measurement"),
        ("mercator", 4326, "measurement"),
        ("lines", 4326, "measurement"),
        ("polygons", 4326, "measurement"),
    ],
)
def test_no_line_of_the_package_runs_once_a_row(answers: Answers, dataset: str, projection: int, model: str) -> None:
    """Lines executed for 12 000 rows more, told by row: a loop over rows, or a comprehension, has one or more each."""
    lines = []
    for rows in (4_000, 16_000):
        mapfile = answers.map_stored(dataset, rows, projection)
        response = answers.ask(mapfile, MODELS[model])
        b"".join(response.body)
        lines.append(count_lines(lambda mapfile=mapfile: answers.ask(mapfile, MODELS[model])))
    assert (lines[1] - lines[0]) / 12_000 < 0.9


def count_lines(ask: Callable[[], Response]) -> int:
    """How often lines of the package are executed while a response is made and read; generators count each round."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count += event in ("line", "call")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        response = ask()
        for _ in response.body:
            pass
    finally:
        # That of a measurement of coverage.
        sys.settrace(before)
    return count
