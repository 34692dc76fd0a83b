"""The threads that make answers: how many there are, and what comes first."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from functools import partial

import pytest

from mapsos.servers.asynchronous.work import FIRST, LATER, RELEASE, SOON, WorkThreads


def test_no_more_threads_than_allowed_and_none_before_work() -> None:
    work = WorkThreads(3, "counted")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("counted")]
    together = threading.Barrier(3)
    futures = [work.submit(FIRST, together.wait) for _ in range(3)]
    wait(futures, 60)
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("counted")]) == 3
    wait([work.submit(FIRST, lambda: None) for _ in range(50)], 60)
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("counted")]) == 3


def block(work: WorkThreads) -> threading.Event:
    """Hold the only thread until the event is set."""
    held, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        held.wait(60)

    work.submit(RELEASE, hold)
    assert begun.wait(60)
    return held


def test_what_has_begun_comes_before_what_has_not() -> None:
    work = WorkThreads(1)
    held = block(work)
    done: list[str] = []
    pieces = ((LATER, "later"), (FIRST, "first"), (FIRST, "second"), (SOON, "soon"), (RELEASE, "close"))
    futures = [work.submit(priority, partial(done.append, name)) for priority, name in pieces]
    held.set()
    wait(futures, 60)
    assert done == ["close", "soon", "first", "second", "later"]


def test_the_newest_takes_turns_with_the_oldest_where_many_wait_for_long() -> None:
    work = WorkThreads(1)
    work._seconds = 1.0
    held = block(work)
    done: list[int] = []
    futures = [work.submit(FIRST, partial(done.append, number)) for number in range(6)]
    assert work.estimate_wait() == pytest.approx(6.0)
    held.set()
    wait(futures, 60)
    assert done[:4] == [5, 0, 4, 1]


def test_an_error_is_the_callers() -> None:
    work = WorkThreads(1)
    with pytest.raises(ZeroDivisionError):
        work.submit(FIRST, lambda: 1 // 0).result(60)
    assert work.submit(FIRST, lambda: 7).result(60) == 7


def test_what_is_cancelled_is_not_done() -> None:
    work = WorkThreads(1)
    held = block(work)
    done: list[int] = []
    future = work.submit(FIRST, lambda: done.append(1))
    assert future.cancel()
    held.set()
    work.submit(LATER, lambda: None).result(60)
    assert done == []
