"""Many HTTP clients at once on one server, each answer checked, in one process with one loop of events."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.load_questions import SHARES, Answer, Question
from tests.support.servers import escape

TIMEOUT = 120.0
"""Seconds after which a client gives an answer up."""


@dataclass
class Tally:
    """What became of the requests: seconds by kind, and the reasons of those that failed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        """How many had the right answer."""
        return sum(map(len, self.seconds.values()))


@dataclass(frozen=True)
class Target:
    """A server on 127.0.0.1, and what comes before a query in the path of a request."""

    port: int
    prefix: str


class Load:
    """Clients that each ask, wait for the answer, pause and ask again.

    Parameters
    ----------
    target
        Whom they ask.
    questions
        What they ask, by kind; kinds come as often as `SHARES` says.
    pause
        Mean seconds between an answer and the client's next request; 0 for none.
    """

    def __init__(self, target: Target, questions: Mapping[str, Sequence[Question]], pause: float) -> None:
        self._target = target
        self._questions = questions
        self._pause = pause
        self._right: dict[Question, bytes] = {}

    async def check_all(self) -> None:
        """Ask every question once, hold the answer against the data, and remember it. Raises WrongAnswerError."""
        for questions in self._questions.values():
            for question in questions:
                answer = await self._ask(question)
                question.check(answer)
                self._right[question] = _digest(answer)

    async def run(self, clients: int, seconds: float | None = None, requests: int | None = None) -> Tally:
        """Load the server for so many seconds, or with so many requests; answers that are under way are waited for."""
        tally = Tally({kind: [] for kind in SHARES})
        end = None if seconds is None else time.monotonic() + seconds
        numbers = iter(range(requests)) if requests is not None else None
        await asyncio.gather(*(self._be_client(number, end, numbers, tally) for number in range(clients)))
        return tally

    async def _be_client(self, number: int, end: float | None, numbers: Iterator[int] | None, tally: Tally) -> None:
        chance = random.Random(number)
        await self._wait(chance, end)
        kinds = list(self._questions)
        weights = [SHARES[kind] for kind in kinds]
        while end is None or time.monotonic() < end:
            if numbers is not None and next(numbers, None) is None:
                return
            (kind,) = chance.choices(kinds, weights)
            question = chance.choice(self._questions[kind])
            started = time.monotonic()
            try:
                answer = await asyncio.wait_for(self._ask(question), TIMEOUT)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                tally.failures[f"{kind}: {type(error).__name__} {error}"] += 1
            else:
                taken = time.monotonic() - started
                if _digest(answer) == self._right[question]:
                    tally.seconds[kind].append(taken)
                else:
                    tally.failures[f"{kind}: status {answer.status}, another answer than the right one"] += 1
            if self._pause:
                await self._wait(chance, end)

    async def _wait(self, chance: random.Random, end: float | None) -> None:
        pause = chance.uniform(0, 2 * self._pause)
        await asyncio.sleep(pause if end is None else max(0.0, min(pause, end - time.monotonic())))

    async def _ask(self, question: Question) -> Answer:
        return await fetch(self._target.port, self._target.prefix + escape(question.query))


async def fetch(port: int, path: str) -> Answer:
    """One GET on a connection of its own, from opening it to its end. Raises OSError, EOFError or ValueError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode("ascii"))
        whole = await reader.read(-1)
    finally:
        writer.close()
    head, mark, body = whole.partition(b"\r\n\r\n")
    if not mark:
        raise EOFError("no answer")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _join_chunks(body)
    elif "content-length" in headers and int(headers["content-length"]) != len(body):
        raise EOFError("a short answer")
    return Answer(int(status.split()[1]), headers.get("location", ""), body)


def _join_chunks(body: bytes) -> bytes:
    parts, position = [], 0
    while True:
        line = body.find(b"\r\n", position)
        if line < 0:
            raise EOFError("a short answer")
        size = int(body[position:line], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[line + 2 : line + 2 + size])
        position = line + 2 + size + 2


def _digest(answer: Answer) -> bytes:
    digest = hashlib.blake2b(b"%d %s " % (answer.status, answer.location.encode()), digest_size=16)
    digest.update(answer.body)
    return digest.digest()
