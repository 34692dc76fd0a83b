"""Queues with several servers: open (Erlang, Allen-Cunneen) and closed (mean value analysis).

A server is a processor here. Times are seconds, rates are per second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


class OverloadError(ValueError):
    """More work arrives than the servers can do: the queue grows without end."""


def erlang_b(servers: int, load: float) -> float:
    """Return the share of arrivals that find all servers occupied where none waits (Erlang's loss formula).

    Parameters
    ----------
    servers
        How many, 0 or more.
    load
        Work that arrives, in servers: arrivals a second times seconds each.
    """
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Return the share of arrivals that wait in M/M/c (Erlang's delay formula). Raises OverloadError."""
    if load >= servers:
        raise OverloadError(f"{load:.3g} processors' work for {servers}")
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


@dataclass(frozen=True)
class Mix:
    """Requests of several kinds: how often each comes, and the seconds of a processor that one takes.

    Attributes
    ----------
    shares
        Shares of all requests, which add up to 1.
    seconds
        Processor seconds of each, in the same order.
    """

    shares: Sequence[float]
    seconds: Sequence[float]

    @property
    def mean(self) -> float:
        """Processor seconds of a request on average."""
        return sum(share * each for share, each in zip(self.shares, self.seconds, strict=True))

    @property
    def variation(self) -> float:
        """Squared coefficient of variation: variance by squared mean; 0 where all take the same time."""
        square = sum(share * each**2 for share, each in zip(self.shares, self.seconds, strict=True))
        return max(0.0, square / self.mean**2 - 1)


@dataclass(frozen=True)
class OpenQueue:
    """Requests that arrive at random whatever the server does: M/G/c in the approximation of Allen and Cunneen.

    Attributes
    ----------
    servers
        Processors.
    rate
        Arrivals a second.
    mix
        What they take. Allen and Cunneen scale the wait of M/M/c by (ca² + cs²) / 2; ca² is 1 (Poisson arrivals).
    arrivals
        Squared coefficient of variation of the times between arrivals.
    """

    servers: int
    rate: float
    mix: Mix
    arrivals: float = 1.0

    @property
    def utilisation(self) -> float:
        """Share of the time in which a processor works; 1 or more is too much."""
        return self.rate * self.mix.mean / self.servers

    @property
    def wait(self) -> float:
        """Mean seconds before the work on a request begins. Raises OverloadError."""
        load = self.rate * self.mix.mean
        waits = erlang_c(self.servers, load)
        return waits * self.mix.mean / (self.servers - load) * (self.arrivals + self.mix.variation) / 2

    @property
    def response(self) -> float:
        """Mean seconds from arrival to the end. Raises OverloadError."""
        return self.wait + self.mix.mean

    def percentile(self, share: float) -> float:
        """Return the seconds that so large a share of requests do not exceed. Raises OverloadError.

        The wait is taken to be exponential where there is one, with Allen and Cunneen's mean; a request of one kind
        to take always the same.
        """
        waits = erlang_c(self.servers, self.rate * self.mix.mean)
        mean = self.wait / waits if waits else 0.0

        def exceeds(seconds: float) -> float:
            late = (self._exceeds_wait(seconds - each, waits, mean) for each in self.mix.seconds)
            return sum(part * other for part, other in zip(self.mix.shares, late, strict=True))

        return find_percentile(exceeds, share, self.response)

    @staticmethod
    def _exceeds_wait(seconds: float, waits: float, mean: float) -> float:
        if seconds < 0:
            return 1.0
        return waits * math.exp(-seconds / mean) if mean else 0.0


@dataclass(frozen=True)
class SharedQueue:
    """One process that works on all its requests at once, each with an equal share of its processor (M/G/1-PS).

    Mean times depend on the mean work alone, not on how it is distributed.

    Attributes
    ----------
    rate
        Arrivals a second, at random.
    mean
        Processor seconds of a request.
    """

    rate: float
    mean: float

    @property
    def utilisation(self) -> float:
        """Share of the time in which the process works; 1 or more is too much."""
        return self.rate * self.mean

    @property
    def response(self) -> float:
        """Mean seconds from arrival to the end. Raises OverloadError."""
        return self.stretch(self.mean)

    def stretch(self, seconds: float) -> float:
        """Return the mean seconds in which a request that needs so many of a processor ends. Raises OverloadError."""
        if self.utilisation >= 1:
            raise OverloadError(f"{self.utilisation:.3g} processors' work for one")
        return seconds / (1 - self.utilisation)

    def percentile(self, share: float) -> float:
        """Return the seconds that so large a share of requests do not exceed, as if they were exponential."""
        return self.response * -math.log(1 - share)


@dataclass(frozen=True)
class Closed:
    """The means of a closed network: requests a second, seconds of an answer, and requests at each station."""

    throughput: float
    response: float
    queues: tuple[float, ...]


def solve_closed(demands: Sequence[float], think: float, clients: int) -> Closed:
    """Solve a network in which clients think, visit each station, and think again, by exact mean value analysis.

    Parameters
    ----------
    demands
        Seconds of work of a request at each station, on average over all requests: where two stations divide the
        requests, half of them. Stations share their time among their requests, or take exponential times.
    think
        Mean seconds between an answer and the next request.
    clients
        How many, 1 or more.
    """
    queues = tuple(0.0 for _ in demands)
    throughput = response = 0.0
    for count in range(1, clients + 1):
        # A client that arrives finds what there is on average without it (the arrival theorem).
        spent = [demand * (1 + queue) for demand, queue in zip(demands, queues, strict=True)]
        response = sum(spent)
        throughput = count / (think + response)
        queues = tuple(throughput * seconds for seconds in spent)
    return Closed(throughput, response, queues)


def find_percentile(exceeds: Callable[[float], float], share: float, near: float) -> float:
    """Return the seconds that are exceeded with probability 1 - share; ``exceeds`` never rises."""
    low, high = 0.0, near
    while exceeds(high) > 1 - share:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if exceeds(middle) > 1 - share else (low, middle)
    return high


def make_mix(shares: Mapping[str, float], seconds: Mapping[str, float]) -> Mix:
    """Return the mix of kinds; shares are scaled to add up to 1."""
    whole = sum(shares.values())
    return Mix([share / whole for share in shares.values()], [seconds[kind] for kind in shares])
