"""From a site (stations, rows, requests a second) to processors, workers, database servers, memory and disk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.capacity.queueing import OpenQueue, SharedQueue, make_mix
from benchmarks.capacity.times import CAPABILITIES, SENSOR, Measured, SourceTimes
from benchmarks.load_questions import CAPABILITIES_KIND, SENSOR_KIND, SHARES, WEEK_KIND

MONTH_MINUTES = 365.25 / 12 * 24 * 60
LONG_ANSWER_BYTES = 15e6
"""Of each response of more than 1 MiB under way: docs/deployment.md, "Operating it"."""
LONG_ANSWERS = 20
THREADS_A_PROCESSOR = 2
CLIENTS_SHARE = 0.95
WIDTH = 42


@dataclass(frozen=True)
class Site:
    """What is to be served, and with what.

    Attributes
    ----------
    stations, rows, requests
        Sensors; observations; requests a second in the busiest minutes: 10 % capabilities, 10 % DescribeSensor, 80 %
        observations of one station, as in ``benchmarks/load``.
    source
        ``postgis`` or ``geopackage``.
    answer_rows
        Observations of a usual answer.
    minutes
        Between two rows of a station; with ``rows`` and ``stations`` the months that the rows cover.
    long_rows
        Rows a second in long answers (downloads), on average.
    processors
        Of each machine.
    utilisation
        The share of a processor's time that may be used in the busiest minutes.
    """

    stations: int
    rows: int
    requests: float
    source: str = "postgis"
    answer_rows: int = 168
    minutes: float = 10.0
    long_rows: float = 0.0
    processors: int = 8
    utilisation: float = 0.6

    @property
    def months(self) -> int:
        """Months that the rows cover, each a partition in PostgreSQL."""
        return max(1, math.ceil(self.rows * self.minutes / self.stations / MONTH_MINUTES))


@dataclass(frozen=True)
class Plan:
    """What the site needs; seconds of responses are predicted.

    Attributes
    ----------
    request_seconds, database_seconds
        Processor seconds of a request on average: of `mapsos serve`, of PostgreSQL.
    workers, machines
        Processes of `mapsos serve`, one a processor, and the machines for them.
    mean, slowest
        Seconds of a response, and those that 95 of 100 do not exceed.
    database_processors, databases
        Processors and servers of PostgreSQL that read; all but one can be replicas. 0 without PostgreSQL.
    connections
        The most that all workers open.
    memory, database_memory
        Bytes in each machine for the workers; in each database server for the two newest months.
    disk
        Bytes of tables and indexes, in each database server or, of files, each machine.
    extrapolated
        What lies beyond the measurements.
    """

    request_seconds: float
    database_seconds: float
    processors: float
    workers: int
    machines: int
    used: float
    mean: float
    slowest: float
    database_processors: int
    databases: int
    connections: int
    memory: float
    database_memory: float
    disk: float
    extrapolated: tuple[str, ...]


def size_site(site: Site, measured: Measured) -> Plan:
    """Size a site. Raises KeyError for an unknown source."""
    times = measured.sources[site.source]
    observations, database = times.observations(site.answer_rows)
    seconds = {
        CAPABILITIES_KIND: measured.capabilities_seconds(site.stations),
        SENSOR_KIND: times.works[SENSOR].server,
        WEEK_KIND: observations,
    }
    stored = {CAPABILITIES_KIND: times.works[CAPABILITIES].database, SENSOR_KIND: times.works[SENSOR].database,
              WEEK_KIND: database}  # fmt: skip
    mix, stored_mix = make_mix(SHARES, seconds), make_mix(SHARES, stored)
    long, long_database = (each * site.long_rows / 1e6 for each in times.million)
    # A worker looks for sensors and times once a minute: of a database in the index of each partition.
    parts = site.months / times.partitions if site.source == "postgis" else 1.0
    scale = site.stations / times.stations * parts
    refresh, refresh_database = (each * scale / 60 for each in times.refresh)
    busy = site.requests * mix.mean + long
    workers = max(1, math.ceil(busy / max(0.05, site.utilisation - refresh)))
    rate = site.requests / workers
    used = (busy + workers * refresh) / workers
    # Long answers and looking for sensors take their part of each processor: it is that much slower for the rest.
    queue = SharedQueue(rate, mix.mean / (1 - min(0.95, used - rate * mix.mean)))
    machines = math.ceil(workers / site.processors)
    needed = site.requests * stored_mix.mean + long_database + workers * refresh_database
    databases = max(1, math.ceil(needed / site.utilisation / site.processors)) if site.source == "postgis" else 0
    waited = _wait_for_database(site, stored_mix.mean, needed, databases) if databases else 0.0
    threads = THREADS_A_PROCESSOR * min(site.processors, workers)
    at_once = min(workers, site.processors)
    a_row = (times.table_bytes + times.index_bytes) / times.rows
    hot = min(site.rows, 2 * site.stations * MONTH_MINUTES / site.minutes)
    return Plan(
        mix.mean,
        stored_mix.mean,
        busy,
        workers,
        machines,
        used,
        queue.response + stored_mix.mean + waited,
        queue.percentile(CLIENTS_SHARE) + stored_mix.mean + waited,
        math.ceil(needed / site.utilisation) if databases else 0,
        databases,
        workers * (threads + LONG_ANSWERS) if databases else 0,
        at_once * (measured.worker_bytes + LONG_ANSWERS * LONG_ANSWER_BYTES),
        hot * a_row if databases else 0.0,
        site.rows * a_row,
        tuple(_list_extrapolated(site, times, measured, workers)),
    )


def _wait_for_database(site: Site, mean: float, needed: float, databases: int) -> float:
    queue = OpenQueue(site.processors, needed / databases / mean, make_mix({"": 1}, {"": mean}), arrivals=1.0)
    return queue.wait


def _list_extrapolated(site: Site, times: SourceTimes, measured: Measured, workers: int) -> list[str]:
    most = measured.capabilities[-1].stations
    found = []
    if site.rows > times.rows:
        found.append(f"rows beyond {_tell(times.rows)}")
    if site.stations > most:
        found.append(f"stations beyond {_tell(most)}")
    if workers > 2:
        found.append("workers beyond 2")
    return found


def write_plan(site: Site, plan: Plan) -> str:
    """Return the plan as lines of a name and a value."""
    rows = [
        ("processor time of a request", f"{plan.request_seconds * 1000:.1f} ms in mapsos"
         + (f", {plan.database_seconds * 1000:.1f} ms in PostgreSQL" if plan.databases else "")),
        ("processors in use", f"{plan.processors:.2g}, each {plan.used:.0%} of the time"),
        ("workers", f"{plan.workers} (`--workers {min(plan.workers, site.processors)}`)"),
        (f"machines of {site.processors} processors for mapsos", str(plan.machines)),
        ("response, mean; 95 of 100", f"{plan.mean * 1000:.0f} ms; {plan.slowest * 1000:.0f} ms"),
        ("memory of each of these machines", _size(plan.memory)),
    ]  # fmt: skip
    if plan.databases:
        rows += [
            ("processors of PostgreSQL", str(plan.database_processors)),
            (f"servers of PostgreSQL with {site.processors} processors", f"{plan.databases}, "
             f"{plan.databases - 1} of them replicas"),
            ("connections, all workers", f"{plan.connections} at most"),
            ("partitions", f"{site.months} months"),
            ("disk of each server of PostgreSQL", _size(plan.disk)),
            ("memory for its two newest months", _size(plan.database_memory)),
        ]  # fmt: skip
    else:
        rows.append(("disk of each of these machines", _size(plan.disk)))
    rows.append(("extrapolated", ", ".join(plan.extrapolated) or "nothing"))
    head = f"{_tell(site.stations)} stations, {_tell(site.rows)} rows, {site.requests:g} requests a second"
    return f"{head}, {site.source}\n" + "".join(f"  {name:{WIDTH}}  {value}\n" for name, value in rows)


def _tell(number: int) -> str:
    return f"{number:,}"


def _size(number: float) -> str:
    return f"{number / 1e9:.0f} GB" if number >= 1e10 else f"{number / 1e9:.1f} GB"
