"""A client that goes away releases the data: open files are counted, in this process and in a server."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable

import pytest

from mapsos.web.messages import Response
from tests.streaming.released import ABORTS, assert_released
from tests.support.maps import OBSERVATIONS
from tests.support.open_files import count_open
from tests.support.processes import list_tree
from tests.support.servers import escape, serving

from .conftest import MODELS, Answers


@pytest.mark.parametrize("model", MODELS)
def test_a_closed_answer_releases_the_data(answers: Answers, close_all: Callable[[Response], None], model: str) -> None:
    mapfile = answers.map_repeated(100_000)
    for _ in range(ABORTS):
        response = answers.ask(mapfile, MODELS[model])
        assert next(iter(response.body))
        close_all(response)
    assert_released(answers.data)


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_that_nobody_reads_releases_the_data(
    answers: Answers, close_all: Callable[[Response], None], model: str
) -> None:
    close_all(answers.ask(answers.map_repeated(100_000), MODELS[model]))
    assert_released(answers.data)


def test_a_server_survives_clients_that_go_away(answers: Answers) -> None:
    mapfile = answers.map_repeated(2_000_000)
    small = f"/{mapfile.stem}?{escape(OBSERVATIONS)}&bbox=500,500,501,501"
    with serving(mapfile) as server:
        for _ in range(ABORTS):
            with socket.create_connection(("127.0.0.1", server.port), 60) as client:
                query = f"GET /{mapfile.stem}?{escape(MODELS['measurement'])} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                client.sendall(query.encode())
                assert client.recv(1 << 16)
        assert wait_until(lambda: sum(count_open(answers.data, pid) for pid in list_tree([server.pid])) == 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{small}", timeout=60) as answer:
            assert b"ObservationCollection" in answer.read()


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Look every 20 ms whether it holds: when a server notices that a client is gone is its own affair."""
    waiting = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return True
        waiting.wait(0.02)
    return holds()
