"""Tables are streamed: memory does not grow with them, closing releases the data, what is broken off is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.maps import ask_table
from benchmarks.processes import measure_peak
from benchmarks.servers import mapsos_program
from mapsos.encodings.registry import list_response_formats
from mapsos.sources.errors import SourceError
from mapsos.web.messages import Response

from .conftest import Answers
from .test_aborts import assert_released

FEW, MANY = 200_000, 1_000_000
LIMIT_MEGABYTES = 350
WITHIN = 1.15
TABLE_FORMATS = list_response_formats(tabular=True)
SUMMARY = ask_table("text/csv", "&aggregateInterval=P1D&aggregateFunction=avg,min,max,first")


@pytest.mark.parametrize("query", [*map(ask_table, TABLE_FORMATS), SUMMARY])
def test_peak_is_the_same_for_five_times_the_rows(answers: Answers, query: str) -> None:
    few = max(measure_peak(mapsos_program(answers.map_repeated(FEW), query)) for _ in range(3))
    many = measure_peak(mapsos_program(answers.map_repeated(MANY), query))
    assert many < LIMIT_MEGABYTES
    assert many < few * WITHIN


@pytest.mark.parametrize("query", [*map(ask_table, TABLE_FORMATS), SUMMARY])
def test_a_closed_answer_releases_the_data(answers: Answers, close_all: Callable[[Response], None], query: str) -> None:
    response = answers.ask(answers.map_repeated(100_000), query)
    assert next(iter(response.body))
    close_all(response)
    assert_released(answers.data)


@pytest.mark.parametrize("response_format", TABLE_FORMATS)
@pytest.mark.usefixtures("fails_later")
def test_what_breaks_off_is_not_whole(answers: Answers, response_format: str) -> None:
    response = answers.ask(answers.map_repeated(200_000), ask_table(response_format))
    assert not response.error
    chunks: list[bytes] = []
    with pytest.raises(SourceError):
        chunks.extend(map(bytes, response.body))
    part = b"".join(chunks)
    if "json" in response_format:
        with pytest.raises(json.JSONDecodeError):
            json.loads(part)
    elif response_format.endswith("parquet"):
        with pytest.raises(pa.ArrowInvalid):
            pq.read_table(pa.BufferReader(part))
    elif response_format.endswith("stream"):
        assert not part.endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00")


@pytest.mark.usefixtures("fails_later")
def test_a_summary_of_data_that_fail_is_an_exception_report(answers: Answers) -> None:
    response = answers.ask(answers.map_repeated(200_000), SUMMARY)
    assert response.error
    assert b"the data are gone" in b"".join(map(bytes, response.body))
