"""The model beside ``benchmarks/load``: what it predicts of closed loops of clients, and what they experience."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.capacity.measuring import read_processors
from benchmarks.capacity.queueing import solve_closed
from benchmarks.load import _percentile
from benchmarks.load_clients import Load, Tally, Target
from benchmarks.load_questions import Question
from tests.support.processes import list_tree
from tests.support.servers import Server

WITHIN = 0.25
THINK = 1.0


@dataclass(frozen=True)
class Prediction:
    """What a load is expected to be like, or was: requests a second, mean and 95 % in seconds, share of processors."""

    throughput: float
    mean: float
    slowest: float
    utilisation: float


@dataclass(frozen=True)
class Demands:
    """Processor seconds that a request of the load takes on average, of the server and of the client."""

    server: float
    client: float


@dataclass(frozen=True)
class Comparison:
    """One load: its clients, and both sides. ``failures`` are requests without the right answer."""

    clients: int
    predicted: Prediction
    measured: Prediction
    failures: int

    @property
    def is_close(self) -> bool:
        """Whether throughput, mean time and utilisation are within a quarter of what was predicted."""
        pairs = (
            (self.predicted.throughput, self.measured.throughput),
            (self.predicted.mean, self.measured.mean),
            (self.predicted.utilisation, self.measured.utilisation),
        )
        return not self.failures and all(abs(found / expected - 1) <= WITHIN for expected, found in pairs)


async def measure_demands(
    server: Server, name: str, questions: Mapping[str, list[Question]], requests: int, clients: int
) -> Demands:
    """Measure what a request of the load takes of the processors while so many clients ask without a pause.

    Requests take more of a processor where all of them work: they share caches, and threads wait for each other.
    """
    client = Load(Target(server.port, f"/{name}?"), questions, 0)
    await client.check_all()
    await client.run(clients, requests=requests // 4)
    used, own = read_processors(list_tree([server.pid])), time.process_time()
    tally = await client.run(clients, requests=requests)
    return Demands(
        (read_processors(list_tree([server.pid])) - used) / tally.answered,
        (time.process_time() - own) / tally.answered,
    )


def predict(demands: Demands, workers: int, processors: int, clients: int, think: float) -> Prediction:
    """Predict a closed loop.

    Each worker is a station that gets as many requests as the others; the process that is all clients is one more,
    and takes its turns on the same processors. Where more processes work than there are processors, each is slower.
    """
    slow_worker = slow_client = 1.0
    for _ in range(50):
        stations = [demands.server * slow_worker / workers] * workers + [demands.client * slow_client]
        closed = solve_closed(stations, think, clients)
        busy = [min(1.0, closed.throughput * station) for station in stations]
        slow_worker += (slow_down(busy[1:], processors) - slow_worker) / 2
        slow_client += (slow_down(busy[:-1], processors) - slow_client) / 2
    used = closed.throughput * (demands.server + demands.client) / processors
    return Prediction(closed.throughput, closed.response, closed.response * math.log(20), used)


def slow_down(others: Sequence[float], processors: int) -> float:
    """Return by how much a process is slower for others that work in these shares of the time."""
    # The distribution of how many of the others work.
    count = [1.0]
    for busy in others:
        count = [
            (count[number] if number < len(count) else 0.0) * (1 - busy) + (count[number - 1] if number else 0.0) * busy
            for number in range(len(count) + 1)
        ]
    return sum(share * max(1.0, (number + 1) / processors) for number, share in enumerate(count))


def choose_clients(demands: Demands, workers: int, processors: int, think: float, utilisation: float) -> int:
    """Return how many clients use so large a share of the processors."""
    clients = 1
    while predict(demands, workers, processors, clients, think).utilisation < utilisation:
        clients += 1
    return clients


async def load(server: Server, name: str, questions: Mapping[str, list[Question]], clients: int, think: float,
               seconds: float, processors: int) -> tuple[Prediction, int]:  # fmt: skip
    """Return what so many clients experienced, and how many requests failed."""
    clients_of = Load(Target(server.port, f"/{name}?"), questions, think)
    await clients_of.check_all()
    # The first requests find an empty server.
    await clients_of.run(clients, seconds=2 * think)
    used = _read_used(server)
    started = time.monotonic()
    tally: Tally = await clients_of.run(clients, seconds=seconds)
    wall = time.monotonic() - started
    used = _read_used(server) - used
    times = sorted(value for values in tally.seconds.values() for value in values)
    # Clients begin with a pause: with pauses from nothing to twice the mean that costs each a third of a request.
    return (
        Prediction(
            len(times) / (wall - think / 3),
            sum(times) / len(times),
            _percentile(times, 0.95),
            used / (wall * processors),
        ),
        tally.failures.total(),
    )


def _read_used(server: Server) -> float:
    return read_processors(list_tree([server.pid])) + time.process_time()
