"""Places for connections to PostgreSQL: who gets one, who waits, and who is busy instead of waiting for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import pytest

from mapsos.sources.drivers.postgres.connections import ConnectionPlaces, without_waiting
from mapsos.terms import deadlines
from mapsos.terms.deadlines import (
    BusyError,
    ClientGoneError,
    ConnectionLimits,
    Deadline,
    let_wait_aside,
    limit_seconds,
    watch_client,
)
from tests.support.workers import wait_for


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Asking:
    """A request, whose steps run in the threads of a pool with its deadline."""

    def __init__(self, places: ConnectionPlaces, threads: ThreadPoolExecutor) -> None:
        self._places = places
        self._threads = threads
        self._context = copy_context()
        self._context.run(deadlines._current.set, Deadline(60))
        self.taken: list[object] = []

    def begin(self, count: int = 1) -> Future[None]:
        """Take places, perhaps later."""
        return self._threads.submit(self._context.run, self._take, count)

    def _take(self, count: int) -> None:
        self.taken.append(self._places.take(count))

    def end(self) -> None:
        """Give all back."""
        while self.taken:
            self._places.give_back(self.taken.pop())  # type: ignore[arg-type]


def is_waiting(places: ConnectionPlaces) -> bool:
    return bool(places._first or places._further)


def test_places_are_taken_in_turn(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(1, 60))
    first, second = Asking(places, threads), Asking(places, threads)
    first.begin().result(60)
    coming = second.begin()
    wait_for(lambda: is_waiting(places), "the second")
    assert places.used == 1
    first.end()
    coming.result(60)
    assert places.used == 1
    second.end()
    assert places.used == 0


def test_one_that_waits_too_long_is_told_to_come_back() -> None:
    places = ConnectionPlaces(ConnectionLimits(1, 0.01))
    taken = places.take(1)
    with pytest.raises(BusyError):
        places.take(1)
    places.limits.most_wait = 60
    with limit_seconds(0.01), pytest.raises(BusyError) as caught:
        places.take(1)
    assert caught.value.seconds == 60
    places.give_back(taken)
    places.give_back(places.take(1))


def test_a_client_that_leaves_does_not_wait(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(1, 60))
    places.take(1)
    gone = threading.Event()

    def ask() -> None:
        watch_client(gone.is_set)
        with limit_seconds(None):
            places.take(1)

    coming = threads.submit(copy_context().run, ask)
    wait_for(lambda: is_waiting(places), "the client")
    gone.set()
    with pytest.raises(ClientGoneError):
        coming.result(60)
    assert not is_waiting(places)


def test_the_last_that_would_wait_for_all_others_is_busy_at_once(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(3, 60))
    asking = [Asking(places, threads) for _ in range(3)]
    for one in asking:
        one.begin().result(60)
    further = [one.begin() for one in asking]
    # Two wait, the third cannot.
    wait_for(lambda: any(future.done() for future in further), "the one that is busy")
    (busy,) = (number for number, future in enumerate(further) if future.done())
    with pytest.raises(BusyError):
        further[busy].result(60)
    asking[busy].end()
    others = [number for number in range(3) if number != busy]
    wait_for(lambda: any(further[number].done() for number in others), "the next one")
    others.sort(key=lambda number: not further[number].done())
    for number in others:
        further[number].result(60)
        asking[number].end()
    assert places.used == 0


def test_one_that_needs_more_comes_before_those_that_begin(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(2, 60))
    first, second, third = (Asking(places, threads) for _ in range(3))
    first.begin().result(60)
    second.begin().result(60)
    new = third.begin()
    wait_for(lambda: is_waiting(places), "the new one")
    more = first.begin()
    wait_for(lambda: bool(places._further), "the one that needs more")
    second.end()
    more.result(60)
    assert not new.done()
    first.end()
    new.result(60)
    third.end()


def test_a_request_alone_does_not_wait_for_itself(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(1, 60))
    one = Asking(places, threads)
    one.begin().result(60)
    with pytest.raises(BusyError):
        one.begin().result(60)
    one.end()


def test_one_that_waits_for_more_than_will_be_free_is_busy_with_the_end_of_the_others(
    threads: ThreadPoolExecutor,
) -> None:
    places = ConnectionPlaces(ConnectionLimits(2, 60))
    one, other = Asking(places, threads), Asking(places, threads)
    one.begin().result(60)
    other.begin().result(60)
    more = one.begin(2)
    wait_for(lambda: is_waiting(places), "the one that needs more")
    other.end()
    with pytest.raises(BusyError):
        more.result(10)
    one.end()
    assert places.used == 0


def test_without_waiting_only_the_first_is_waited_for(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(2, 60))
    one, other = Asking(places, threads), Asking(places, threads)
    one.begin().result(60)
    other.begin().result(60)

    def ask() -> None:
        with without_waiting(), pytest.raises(BusyError):
            one._take(1)

    threads.submit(one._context.run, ask).result(60)
    one.end()
    other.end()


def test_a_source_that_needs_more_than_all_gets_all() -> None:
    places = ConnectionPlaces(ConnectionLimits(2, 0.01))
    taken = places.take(5)
    assert places.used == 2
    places.give_back(taken)
    assert places.used == 0


def test_the_server_knows_that_a_thread_waits(threads: ThreadPoolExecutor) -> None:
    places = ConnectionPlaces(ConnectionLimits(1, 60))
    taken = places.take(1)
    aside: list[str] = []

    @contextmanager
    def note() -> Iterator[None]:
        aside.append("waits")
        yield
        aside.append("goes on")

    def ask() -> None:
        let_wait_aside(note)
        places.give_back(places.take(1))

    coming = threads.submit(copy_context().run, ask)
    wait_for(lambda: aside == ["waits"], "the wait")
    places.give_back(taken)
    coming.result(60)
    assert aside == ["waits", "goes on"]
