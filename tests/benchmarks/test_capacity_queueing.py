"""The formulas of the capacity model against values and closed forms of textbooks."""

from __future__ import annotations

import math

import pytest

from benchmarks.capacity.checking import slow_down
from benchmarks.capacity.queueing import (
    Mix,
    OpenQueue,
    OverloadError,
    SharedQueue,
    erlang_b,
    erlang_c,
    solve_closed,
)


@pytest.mark.parametrize(
    ("servers", "load", "blocked", "waits"),
    [
        # M/M/1: a request waits as often as the server works.
        (1, 0.5, 1 / 3, 0.5),
        # M/M/2: 2 r^2 / (1 + r) with r = 0.75.
        (2, 1.5, 0.31034, 0.642857),
        # Tables of Erlang B and C.
        (5, 3.0, 0.11005, 0.23615),
        (10, 8.0, 0.12166, 0.40918),
    ],
)
def test_erlang(servers: int, load: float, blocked: float, waits: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(blocked, rel=1e-4)
    assert erlang_c(servers, load) == pytest.approx(waits, rel=1e-4)


def test_more_work_than_servers_is_an_error() -> None:
    with pytest.raises(OverloadError):
        erlang_c(2, 2.0)
    with pytest.raises(OverloadError):
        _ = SharedQueue(10, 0.1).response


# An exponential time has a squared variation of 1: half of each of these two kinds has.
EXPONENTIAL_LIKE = Mix([0.5, 0.5], [0.0, 0.2])
ALWAYS = Mix([1.0], [0.1])


def test_the_variation_of_a_mix() -> None:
    assert (EXPONENTIAL_LIKE.mean, EXPONENTIAL_LIKE.variation) == pytest.approx((0.1, 1.0))
    assert (ALWAYS.mean, ALWAYS.variation) == pytest.approx((0.1, 0.0))


@pytest.mark.parametrize(
    ("servers", "rate", "mix", "response"),
    [
        # M/M/1: s / (1 - r).
        (1, 8.0, EXPONENTIAL_LIKE, 0.1 / 0.2),
        # M/M/2: s / (1 - r^2).
        (2, 16.0, EXPONENTIAL_LIKE, 0.1 / (1 - 0.64)),
        # M/D/1, Pollaczek and Khinchine: half the wait of M/M/1.
        (1, 8.0, ALWAYS, 0.1 + 0.1 * 0.8 / (2 * 0.2)),
    ],
)
def test_an_open_queue(servers: int, rate: float, mix: Mix, response: float) -> None:
    queue = OpenQueue(servers, rate, mix)
    assert queue.response == pytest.approx(response)
    assert queue.utilisation == pytest.approx(0.8)


def test_percentiles_of_an_open_queue() -> None:
    # Without waiting it is that of the kinds; with it, M/D/1 at 0.8 has an exponential tail of the mean wait 0.2 / 0.8.
    assert OpenQueue(4, 0.001, Mix([0.9, 0.1], [0.1, 1.0])).percentile(0.95) == pytest.approx(1.0, rel=1e-3)
    assert OpenQueue(1, 8.0, ALWAYS).percentile(0.95) == pytest.approx(0.1 + 0.25 * math.log(0.8 / 0.05))


def test_a_shared_processor() -> None:
    queue = SharedQueue(6.0, 0.1)
    assert queue.response == pytest.approx(0.25)
    assert queue.stretch(1.0) == pytest.approx(2.5)
    assert queue.percentile(0.95) == pytest.approx(0.25 * math.log(20))


@pytest.mark.parametrize("clients", [1, 3, 20, 120])
def test_a_closed_network_of_one_server_is_the_machine_repair_model(clients: int) -> None:
    think, seconds = 1.0, 0.05
    # The server is idle with the probability 1 / sum of N! / (N - n)! (s / z)^n.
    terms = [math.perm(clients, count) * (seconds / think) ** count for count in range(clients + 1)]
    throughput = (1 - 1 / sum(terms)) / seconds
    closed = solve_closed([seconds], think, clients)
    assert closed.throughput == pytest.approx(throughput)
    assert closed.response == pytest.approx(clients / throughput - think)


@pytest.mark.parametrize(("stations", "clients"), [(1, 4), (3, 5), (4, 40)])
def test_a_balanced_closed_network_without_thinking(stations: int, clients: int) -> None:
    closed = solve_closed([0.1] * stations, 0.0, clients)
    assert closed.throughput == pytest.approx(clients / (0.1 * (clients + stations - 1)))
    assert sum(closed.queues) == pytest.approx(clients)


def test_processes_slow_each_other_down_where_there_are_more_than_processors() -> None:
    assert slow_down([1.0], 2) == pytest.approx(1.0)
    assert slow_down([1.0, 1.0], 2) == pytest.approx(1.5)
    assert slow_down([0.5, 0.5], 2) == pytest.approx(0.75 + 0.25 * 1.5)
    assert slow_down([0.0, 0.0], 1) == pytest.approx(1.0)
