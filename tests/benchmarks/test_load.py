"""``benchmarks/load`` end to end, on sizes at which it takes seconds; and that it would notice a wrong answer."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.load_clients import Load, Tally, Target
from benchmarks.load_questions import WEEK_KIND, Answer, Question, WrongAnswerError, make_questions
from tests.support.datasets import provide_dataset

ROOT = Path(__file__).parents[2]
ROWS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("load")


def run_load(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.load", "--data", str(folder), "--rows", str(ROWS), "--questions", "5"]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_many_clients_get_right_answers(folder: Path) -> None:
    done = run_load(folder, "--alone", "--clients", "20", "--seconds", "3", "--pause", "0.5", "--workers", "2")
    # 1 says that answers were slow, which this machine may be.
    assert done.returncode in (0, 1), done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| mapsos serve")]
    assert [row.split("|")[3].strip() for row in rows] == ["GetCapabilities", "DescribeSensor", "GetObservation"]
    assert all(row.split("|")[5].strip() == "0" for row in rows), done.stdout
    assert int(rows[2].split("|")[4]) > 0
    assert re.search(r"mapsos serve: \d+ right answers in", done.stdout)


def test_a_soak_tells_memory_and_files(folder: Path) -> None:
    done = run_load(folder, "--soak", "60", "--workers", "1")
    assert done.returncode in (0, 1), done.stderr
    assert re.search(r"after 30 requests: [\d.]+ MB resident in all workers, \d+ open files", done.stdout)
    assert re.search(r"after 60 requests: .*, 0 requests failed", done.stdout), done.stdout


def test_the_week_is_that_of_the_data(folder: Path) -> None:
    questions = make_questions(provide_dataset("points", ROWS, folder), ROWS, 3)
    assert [len(question.rows) for question in questions[WEEK_KIND]] == [168] * 3


def member(value: str) -> bytes:
    return (
        '<om:member xmlns:om="http://www.opengis.net/om/1.0" xmlns:gml="http://www.opengis.net/gml" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"><gml:timePosition>2001-01-01T00:00:00Z</gml:timePosition>'
        '<om:procedure xlink:href="urn:ogc:def:procedure:S001"/><gml:featureMember><row>'
        f"<air_temp>1.5</air_temp><humidity>50</humidity><value>{value}</value></row></gml:featureMember></om:member>"
    ).encode()


WEEK = Question(WEEK_KIND, "q", "S001", (("20010101000000", 1.5, 50.0, 1013.0),))


def test_an_answer_is_held_against_the_data() -> None:
    WEEK.check(Answer(200, "", member("1013")))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "", member("1013.1")),
        Answer(500, "", member("1013")),
        Answer(200, "", b"<x>" + member("1013") * 2 + b"</x>"),
        Answer(200, "", member("1013").replace(b"S001", b"S002")),
        Answer(200, "", b"<ows:ExceptionReport/>"),
    ],
)
def test_a_wrong_answer_is_noticed(answer: Answer) -> None:
    with pytest.raises(WrongAnswerError):
        WEEK.check(answer)


@pytest.mark.parametrize(
    ("sent", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n0\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", "another answer"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nright", "status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nright", "short"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n", "short"),
        (b"", "no answer"),
    ],
)
def test_what_fails_under_load_is_counted(sent: bytes, failure: str | None) -> None:
    first = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"]
    tally = asyncio.run(_load_once(lambda: first.pop() if first else sent))
    reasons = list(tally.failures)
    assert (not reasons) if failure is None else (len(reasons) == 1 and failure in reasons[0])
    assert tally.answered == (3 if failure is None else 0)


async def _load_once(answer: Callable[[], bytes]) -> Tally:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer())
        writer.close()

    class Unchecked(Question):
        def check(self, answer: Answer) -> None:
            assert answer.body == b"right"

    question = Unchecked(WEEK_KIND, "q")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        load = Load(Target(port, "/?"), {WEEK_KIND: [question]}, 0)
        await load.check_all()
        return await load.run(1, requests=3)
