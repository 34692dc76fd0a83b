"""Reading ahead: in order, never further than asked, errors in their place, and nothing more once it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from mapsos.sources.read_ahead import read_ahead

PATIENCE = 30


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_all_come_in_their_order(count: int, most: int) -> None:
    assert list(read_ahead(iter(range(count)), (-2, -1), most)) == [-2, -1, *range(count)]


@pytest.mark.parametrize("most", [1, 2])
def test_so_many_are_read_ahead_and_no_more(most: int) -> None:
    read: list[int] = []
    arrived = Event()

    def items() -> Iterator[int]:
        for number in range(9):
            read.append(number)
            if number == most:
                arrived.set()
            yield number

    ahead = read_ahead(items(), most=most)
    assert next(ahead) == 0
    assert arrived.wait(PATIENCE)
    ahead.close()
    assert read == list(range(most + 1))


@pytest.mark.parametrize("most", [1, 2])
def test_an_error_comes_in_its_place(most: int) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    ahead = read_ahead(items(), most=most)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="broken"):
        next(ahead)


def test_closing_waits_for_one_item_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()
    read: list[int] = []
    shut_down = ThreadPoolExecutor.shutdown

    def shut_down_meanwhile(pool: ThreadPoolExecutor, wait: bool = True, *, cancel_futures: bool = False) -> None:
        # The item that is being read goes on once the pool has been told to end.
        shut_down(pool, wait=False, cancel_futures=cancel_futures)
        go_on.set()
        shut_down(pool, wait=wait)

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shut_down_meanwhile)

    def items() -> Iterator[int]:
        yield 0
        begun.set()
        assert go_on.wait(PATIENCE)
        read.append(1)
        yield 1
        read.append(2)
        yield 2

    ahead = read_ahead(items(), most=2)
    assert next(ahead) == 0
    assert begun.wait(PATIENCE)
    ahead.close()
    assert read == [1]
