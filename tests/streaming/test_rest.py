"""JSON of the REST interface is streamed: memory does not grow with it, closing releases the data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from mapsos.sources.errors import SourceError
from mapsos.web.messages import Response
from tests.streaming.released import ABORTS, assert_released
from tests.support.maps import REST_OBSERVATIONS
from tests.support.memory import FEW, MANY, check_memory
from tests.support.servers import rest_program

from .conftest import Answers

DATA_MEGABYTES = 250
"""What a process may have of data, by the kernel."""


@pytest.mark.slow
def test_ten_times_the_rows_take_no_more_memory(answers: Answers) -> None:
    few, many = (rest_program(answers.map_repeated(rows), REST_OBSERVATIONS) for rows in (FEW, MANY))
    check_memory(few, many, data=DATA_MEGABYTES)


def test_the_program_that_is_measured_answers(answers: Answers) -> None:
    program = rest_program(answers.map_repeated(20_000), REST_OBSERVATIONS)
    done = subprocess.run(program.command, env=dict(program.environment), capture_output=True, timeout=120, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert b"application/json" in head
    assert len(json.loads(body)["observationData"]) == 20_000


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_closed_answer_releases_the_data(
    answers: Answers, close_all: Callable[[Response], None], chunks: int
) -> None:
    mapfile = answers.map_repeated(100_000)
    for _ in range(ABORTS):
        response = answers.ask_rest(mapfile, REST_OBSERVATIONS)
        body = iter(response.body)
        for _ in range(chunks):
            assert next(body)
        close_all(response)
    assert_released(answers.data)


@pytest.mark.usefixtures("fails_later")
def test_what_breaks_off_is_not_whole(answers: Answers) -> None:
    response = answers.ask_rest(answers.map_repeated(200_000), REST_OBSERVATIONS)
    assert not response.error
    chunks: list[bytes] = []
    with pytest.raises(SourceError):
        chunks.extend(map(bytes, response.body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(chunks))
