"""Reading ahead: one item, in another thread, from the first full one on, in the context of who reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextvars import ContextVar
from threading import Event, Thread, current_thread
from threading import enumerate as enumerate_threads

from mapsos.sources.read_ahead import read_ahead, read_rows_ahead
from mapsos.sources.rows import Rows


def make_rows(counts: list[int], begun: list[tuple[int, bool]], second: Event) -> Iterator[Rows]:
    """Rows without columns; notes when each is made, and whether by the thread of the test."""
    for number, count in enumerate(counts):
        begun.append((number, current_thread().name == "MainThread"))
        if number == 1:
            second.set()
        yield Rows(count, {}, {}, None)


def test_the_second_is_read_while_the_first_is_used() -> None:
    begun: list[tuple[int, bool]] = []
    second = Event()
    coming = read_rows_ahead(make_rows([2, 2, 2, 2], begun, second), 2)
    assert next(coming).count == 2
    assert second.wait(30)
    coming.close()
    assert begun == [(0, True), (1, False)]


def test_what_is_not_full_needs_no_thread() -> None:
    begun: list[tuple[int, bool]] = []
    coming = read_rows_ahead(make_rows([1, 1], begun, Event()), 2)
    assert next(coming).count == 1
    assert begun == [(0, True)]
    assert [rows.count for rows in coming] == [1]
    assert begun == [(0, True), (1, True)]


def test_nothing_to_read() -> None:
    assert list(read_rows_ahead(iter([]), 2)) == []


def test_the_thread_has_the_context_of_the_reader() -> None:
    """As it is when the first is read, within another reading too; what it sets stays with it."""
    whose: ContextVar[str] = ContextVar("whose", default="nobody's")
    seen: list[str] = []

    def note() -> Iterator[int]:
        for number in range(3):
            seen.append(whose.get())
            yield number
            whose.set("the thread's")

    coming = read_ahead(read_ahead(note()))
    token = whose.set("the reader's")
    assert next(coming) == 0
    whose.reset(token)
    assert list(coming) == [1, 2]
    assert seen == ["the reader's", "the thread's", "the thread's"]
    assert whose.get() == "nobody's"


def test_more_readings_within_readings_than_threads() -> None:
    """None of them waits for a thread that waits for another one."""
    found: list[list[int]] = []

    def read() -> None:
        found.append(list(read_ahead(read_ahead(read_ahead(iter(range(200)))))))

    threads = [Thread(target=read, daemon=True) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [list(range(200))] * 40
    assert sum(thread.name.startswith("read-ahead") for thread in enumerate_threads()) <= 2 * (os.cpu_count() or 1)
