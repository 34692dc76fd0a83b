"""The batches of a layer as an encoder gets them: within the limit of rows, and made into something a batch ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mapsos.columns.batches import Batch, map_batches
from mapsos.encodings.encoder import LayerAnswer
from mapsos.operations.observations.streaming import BatchStream, LayerQuestion, ObservationBody, RowLimit
from mapsos.sources.query import LayerQuery
from mapsos.terms.deadlines import current_deadline, limit_seconds
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.web.request_ids import current_request_id

from .conftest import ROWS, write_stations


@pytest.fixture
def source(tmp_path: Path) -> LayerSource:
    write_stations(tmp_path / "obs.gpkg", ROWS)
    return LayerSource("l", SourceKind.OGR, str(tmp_path / "obs.gpkg"), "obs")


def note(batch: Batch) -> list[str]:
    """The stations of a batch."""
    return batch.texts["stn"].to_pylist()


ALL = [row[0] for row in ROWS]


@pytest.mark.parametrize(
    ("batch_rows", "found"),
    [(2, [ALL[:2], ALL[2:4], ALL[4:]]), (len(ALL) + 1, [ALL])],
    ids=["several", "one"],
)
def test_what_is_made_of_batches(source: LayerSource, batch_rows: int, found: list[list[str]]) -> None:
    stream = BatchStream(LayerQuery(source, texts=("stn",), batch_rows=batch_rows))
    assert list(stream.read(RowLimit(None), note)) == found


@pytest.mark.parametrize("most", range(len(ALL) + 2))
@pytest.mark.parametrize("counted", [False, True])
def test_no_more_rows_than_the_limit(source: LayerSource, most: int, counted: bool) -> None:
    limit = RowLimit(most)
    stream = BatchStream(LayerQuery(source, texts=("stn",), batch_rows=2))
    if counted:
        assert stream.count() is None
    assert [station for stations in stream.read(limit, note) for station in stations] == ALL[:most]
    assert limit.rows == min(most, len(ALL))


def test_batches_that_nobody_reads_ahead() -> None:
    batches = [Batch(number, {}, {}) for number in (1, 2)]
    assert list(map_batches(iter(batches), lambda batch: batch.rows)) == [1, 2]


@pytest.mark.parametrize("begun", [False, True])
def test_a_body_is_made_in_the_context_of_its_request(source: LayerSource, begun: bool) -> None:
    """Also by a thread that knows nothing of it; those that read ahead for a later layer inherit that."""
    contexts: list[tuple[float | None, str]] = []

    def note_context(batch: Batch) -> bytes:
        contexts.append((current_deadline().seconds, current_request_id.get()))
        return b"chunk"

    def write(layers: Sequence[LayerAnswer[None]]) -> Iterator[bytes]:
        for layer in layers:
            for chunk in map_batches(layer.batches, note_context):
                note_context(Batch(0, {}, {}))
                yield chunk

    question = LayerQuestion(LayerQuery(source, texts=("stn",), batch_rows=2), None)
    token = current_request_id.set("r-1")
    with limit_seconds(1000):
        body = ObservationBody(write, (question, question), None)
        if begun:
            body.begin()
    current_request_id.reset(token)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(list, body).result() == [b"chunk"] * 6
    assert Counter(contexts) == {(1000, "r-1"): 12}
