"""Places for long answers: who waits, how long, and who makes room."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from mapsos.servers.asynchronous import long_answers
from mapsos.servers.asynchronous.long_answers import LongAnswers
from mapsos.terms.deadlines import BusyError


def test_a_place_is_waited_for() -> None:
    async def run() -> list[str]:
        longs = LongAnswers(1, 1000, 60)
        order: list[str] = []

        async def second() -> None:
            async with longs.take(lambda: None):
                order.append("second")

        async with longs.take(lambda: None):
            assert longs.is_full
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0)
            order.append("first")
        await waiting
        assert not longs.is_full
        return order

    assert asyncio.run(run()) == ["first", "second"]


def test_nobody_waits_for_ever() -> None:
    async def run() -> None:
        longs = LongAnswers(1, 1000, 0.01)
        async with longs.take(lambda: None):
            with pytest.raises(BusyError):
                async with longs.take(lambda: None):
                    pass
        async with longs.take(lambda: None):
            pass

    asyncio.run(run())


@pytest.mark.parametrize(("taken", "ended"), [(0, True), (59_000, True), (70_000, False)])
def test_a_client_that_reads_too_slowly_makes_room(
    taken: int, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """59,000 bytes in a minute are less than 1 kB a second."""
    now = [1000.0]
    monkeypatch.setattr(long_answers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    broken: list[int] = []

    async def run() -> None:
        longs = LongAnswers(1, 1000, 0.01)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(longs.take(lambda: broken.append(1)))
            now[0] += 30
            first.count(taken)
            with pytest.raises(BusyError):
                await stack.enter_async_context(longs.take(lambda: None))
            # Not within the first minute.
            assert broken == []
            now[0] += 31
            with pytest.raises(BusyError):
                await stack.enter_async_context(longs.take(lambda: None))

    asyncio.run(run())
    assert bool(broken) == ended


def test_questions_with_long_answers_are_known() -> None:
    longs = LongAnswers(1, 1000, 1)
    assert not longs.expects("all")
    longs.note("all", is_long=True)
    assert longs.expects("all")
    longs.note("all", is_long=False)
    assert not longs.expects("all")
    for number in range(5000):
        longs.note(number, is_long=True)
    assert longs.expects(4999)
    assert not longs.expects(0)
