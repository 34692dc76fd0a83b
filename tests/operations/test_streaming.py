"""The batches of a layer as an encoder gets them: within the limit of rows, and made into something a batch ahead."""

from __future__ import annotations

from pathlib import Path
from threading import current_thread

import pytest

from mapsos.columns.batches import Batch, map_batches
from mapsos.operations.observations.streaming import BatchStream, RowLimit
from mapsos.sources.query import LayerQuery
from mapsos.terms.layer_source import LayerSource, SourceKind

from .conftest import ROWS, write_stations


@pytest.fixture
def source(tmp_path: Path) -> LayerSource:
    write_stations(tmp_path / "obs.gpkg", ROWS)
    return LayerSource("l", SourceKind.OGR, str(tmp_path / "obs.gpkg"), "obs")


def note(batch: Batch) -> tuple[list[str], bool]:
    """The stations of a batch, and whether this is the thread of the test."""
    return batch.texts["stn"].to_pylist(), current_thread().name == "MainThread"


ALL = [row[0] for row in ROWS]


@pytest.mark.parametrize(
    ("batch_rows", "found"),
    [(2, [(ALL[:2], False), (ALL[2:4], False), (ALL[4:], False)]), (len(ALL) + 1, [(ALL, True)])],
    ids=["several", "one"],
)
def test_what_is_made_of_batches(source: LayerSource, batch_rows: int, found: list[tuple[list[str], bool]]) -> None:
    stream = BatchStream(LayerQuery(source, texts=("stn",), batch_rows=batch_rows))
    assert list(stream.read(RowLimit(None), note)) == found


@pytest.mark.parametrize("most", range(len(ALL) + 2))
@pytest.mark.parametrize("counted", [False, True])
def test_no_more_rows_than_the_limit(source: LayerSource, most: int, counted: bool) -> None:
    limit = RowLimit(most)
    stream = BatchStream(LayerQuery(source, texts=("stn",), batch_rows=2))
    if counted:
        assert stream.count() is None
    assert [station for stations, _ in stream.read(limit, note) for station in stations] == ALL[:most]
    assert limit.rows == min(most, len(ALL))


def test_batches_that_nobody_reads_ahead() -> None:
    batches = [Batch(number, {}, {}) for number in (1, 2)]
    assert list(map_batches(iter(batches), lambda batch: batch.rows)) == [1, 2]
