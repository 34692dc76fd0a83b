"""The log of requests in the store: writing a batch, reading with filters, and removing old lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mapsos.access.databases.database import Database
from mapsos.terms.times import DAY, HOUR, MINUTE
from mapsos.terms.values import dataclass

_SWEEP_AFTER = HOUR
"""Microseconds between two removals of old lines."""
_FAILURES_AFTER = 10
"""Minutes after which counts of wrong keys are removed."""
_COLUMNS = "time, name, address, method, map, operation, status, row_count, byte_count, ms"


@dataclass(frozen=True)
class LogEntry:
    """One request that a key was accepted for.

    Attributes
    ----------
    time
        When it began, in microseconds since 1970 UTC.
    name
        The name of the key.
    map
        The alias of the map, else its path; empty for what concerns no map.
    operation
        Empty if unknown.
    rows, bytes
        Observations and bytes of the body that were sent, also of an answer that broke off.
    ms
        Milliseconds until its end.
    """

    time: int
    name: str
    address: str
    method: str
    map: str
    operation: str
    status: int
    rows: int
    bytes: int
    ms: float


@dataclass(frozen=True)
class LogFilter:
    """Which lines of the log are read; None and empty stand for all.

    Attributes
    ----------
    since, until
        Microseconds since 1970 UTC; inclusive and exclusive.
    last
        The number of newest lines.
    """

    name: str | None = None
    since: int | None = None
    until: int | None = None
    map: str | None = None
    operation: str | None = None
    address: str | None = None
    status: int | None = None
    last: int | None = None


EVERYTHING = LogFilter()


def write_entries(database: Database, entries: Sequence[LogEntry], *, wait: float) -> None:
    """Write lines, and the last use of their keys, in one transaction. Raises StoreError."""
    latest: dict[str, LogEntry] = {}
    for entry in entries:
        if entry.name not in latest or latest[entry.name].time <= entry.time:
            latest[entry.name] = entry
    with database.connect(wait) as connection, connection.transact():
        connection.run_many(
            f"INSERT INTO mapsos_key_log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    entry.time, entry.name, entry.address, entry.method, entry.map, entry.operation, entry.status,
                    entry.rows, entry.bytes, entry.ms,
                )
                for entry in entries
            ],
        )  # fmt: skip
        # Always in the same order: two processes with the same keys would otherwise wait for each other.
        connection.run_many(
            "UPDATE mapsos_keys SET used = ?, used_from = ? WHERE name = ? AND (used IS NULL OR used <= ?)",
            [(entry.time, entry.address, name, entry.time) for name, entry in sorted(latest.items())],
        )


def read_entries(database: Database, wanted: LogFilter = EVERYTHING) -> Iterator[LogEntry]:
    """Yield the lines of the log, the oldest first, without holding all of them in memory. Raises StoreError."""
    conditions = {
        "name = ?": wanted.name,
        "time >= ?": wanted.since,
        "time < ?": wanted.until,
        "map = ?": wanted.map,
        "operation = ?": wanted.operation,
        "address = ?": wanted.address,
        "status = ?": wanted.status,
    }
    stated = {condition: value for condition, value in conditions.items() if value is not None}
    where = f" WHERE {' AND '.join(stated)}" if stated else ""
    values: list[Any] = list(stated.values())
    statement = f"SELECT {_COLUMNS} FROM mapsos_key_log{where} ORDER BY time"
    if wanted.last is not None:
        statement = f"SELECT * FROM ({statement} DESC LIMIT ?) newest ORDER BY time"
        values.append(wanted.last)
    with database.connect() as connection:
        for row in connection.stream(statement, values):
            yield LogEntry(*row)


def sweep(database: Database, now: int, days: int, *, wait: float) -> bool:
    """Remove lines older than so many days, unless a process did in the last hour. Returns whether this one did.

    Counts per day stay. Raises StoreError.
    """
    with database.connect(wait) as connection:
        begun = connection.run(
            "UPDATE mapsos_key_state SET value = ? WHERE name = 'swept' AND value <= ? RETURNING value",
            (now, now - _SWEEP_AFTER),
        )
        if not begun:
            return False
        with connection.transact():
            connection.run("DELETE FROM mapsos_key_log WHERE time < ?", (now - days * DAY,))
            connection.run("DELETE FROM mapsos_key_failures WHERE minute < ?", (now // MINUTE - _FAILURES_AFTER,))
            connection.run("DELETE FROM mapsos_key_secrets WHERE expires < ?", (now,))
        return True
