"""Tables are streamed: memory does not grow with them, closing releases the data, what is broken off is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapsos.encodings.registry import list_response_formats
from mapsos.sources.errors import SourceError
from mapsos.web.messages import Response
from tests.streaming.released import assert_released
from tests.support.maps import ask_table
from tests.support.memory import MANY, check_memory
from tests.support.servers import mapsos_program

from .conftest import Answers

DATA_MEGABYTES = 300
"""What a process may have of data, by the kernel: a row group of Parquet is the largest thing that is held."""
TABLE_FORMATS = list_response_formats(tabular=True)
SUMMARY = ask_table("text/csv", "&aggregateInterval=P1D&aggregateFunction=avg,min,max,first")


@pytest.mark.slow
@pytest.mark.parametrize("query", [*map(ask_table, TABLE_FORMATS), SUMMARY])
def test_five_times_the_rows_take_no_more_memory(answers: Answers, query: str) -> None:
    # More than a row group of Parquet has.
    few, many = (mapsos_program(answers.map_repeated(rows), query) for rows in (MANY // 5, MANY))
    check_memory(few, many, data=DATA_MEGABYTES)


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
