"""A store of keys in a database of PostgreSQL, which web servers on several machines share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import errors

from mapsos.access.databases.database import FETCHED, WAIT_SECONDS, Reason, StoreError
from mapsos.access.databases.idle_connections import IdleConnections

_REASONS: tuple[tuple[type[psycopg.Error], Reason], ...] = (
    (errors.LockNotAvailable, "busy"),
    (errors.QueryCanceled, "busy"),
    (errors.TooManyConnections, "busy"),
    (errors.SerializationFailure, "busy"),
    (errors.DeadlockDetected, "busy"),
    (errors.ReadOnlySqlTransaction, "read-only"),
    (errors.InsufficientPrivilege, "read-only"),
    (errors.DiskFull, "full"),
    (errors.UndefinedTable, "missing"),
)


class PostgresqlConnection:
    """A `mapsos.access.databases.database.Connection` to PostgreSQL."""

    def __init__(self, location: str) -> None:
        try:
            with _errors():
                self._connection = psycopg.connect(
                    location,
                    autocommit=True,
                    connect_timeout=max(round(WAIT_SECONDS), 2),
                    application_name="mapsos keys",
                )
        except StoreError as error:
            # A URL that libpq cannot parse is in its message.
            if "://" in str(error) or _find_password(location) in str(error):
                raise StoreError(error.reason, "PostgreSQL: MAPSOS_KEYS is not a URL that libpq can read") from None
            raise
        # The statements are few, and run for each request.
        self._connection.prepare_threshold = 2
        self._wait = 0

    @property
    def is_usable(self) -> bool:
        """Whether the connection was not lost, as far as is known without using it."""
        return not (self._connection.closed or self._connection.broken)

    def wait(self, seconds: float) -> None:
        """Set how long statements wait for locks, and how long they may take."""
        wait = round(seconds * 1000)
        if wait != self._wait:
            self.run(f"SET lock_timeout = {wait}")
            self._wait = wait

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        with _errors():
            cursor = self._connection.execute(_translate_placeholders(statement), values or None)
            return cursor.fetchall() if cursor.description is not None else []

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        with _errors(), self._connection.cursor() as cursor:
            cursor.executemany(_translate_placeholders(statement), rows)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, which the server holds."""
        with self.transact():
            cursor = self._connection.cursor(name="mapsos_keys")
            try:
                with _errors():
                    cursor.execute(_translate_placeholders(statement), values or None)
                while True:
                    with _errors():
                        rows = cursor.fetchmany(FETCHED)
                    if not rows:
                        return
                    yield from rows
            finally:
                with contextlib.suppress(psycopg.Error):
                    cursor.close()

    @contextmanager
    def transact(self) -> Iterator[None]:
        """Run the statements in the block as one transaction."""
        self.run("BEGIN")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            with contextlib.suppress(StoreError):
                if self.is_usable:
                    self.run("ROLLBACK")
            raise

    def check(self) -> bool:
        """Return whether the server still answers on this connection."""
        try:
            self.run("SELECT 1")
        except StoreError:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


class PostgresqlDatabase:
    """A `mapsos.access.databases.database.Database` of PostgreSQL.

    Parameters
    ----------
    location
        A URL, ``postgresql://user:password@host/database``, as libpq reads it.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._idle: IdleConnections[PostgresqlConnection] = IdleConnections()

    @contextmanager
    def connect(self, wait: float = WAIT_SECONDS) -> Iterator[PostgresqlConnection]:
        """Borrow a connection. One that the server has closed meanwhile, as by a restart, is replaced."""
        connection = self._idle.take()
        try:
            # Before anything is written: what was sent on a connection that broke might have been committed.
            if connection is not None and not connection.check():
                self.close()
                connection.close()
                connection = None
            if connection is None:
                connection = PostgresqlConnection(self._location)
            connection.wait(wait)
            yield connection
        finally:
            if connection is not None:
                if connection.is_usable:
                    self._idle.give_back(connection)
                else:
                    connection.close()

    def create(self, statements: Sequence[str]) -> None:
        """Create the tables."""
        with self.connect() as connection, connection.transact():
            # Two that create at once: IF NOT EXISTS alone lets the second fail.
            connection.run("SELECT pg_advisory_xact_lock(7239846193)")
            for statement in statements:
                connection.run(statement)

    def close(self) -> None:
        """Close idle connections."""
        self._idle.close()


def _find_password(location: str) -> str:
    """Return the password of a URL; what no message contains if it has none, or is not a URL."""
    try:
        return urlsplit(location).password or "\0"
    except ValueError:
        return "\0"


def _translate_placeholders(statement: str) -> str:
    return statement.replace("?", "%s")


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        reason: Reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "unusable")
        if reason == "unusable" and isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            reason = "missing"
        # Messages of libpq name host, port, user and database, never the password.
        lines = str(error).strip().splitlines()
        raise StoreError(reason, f"PostgreSQL: {lines[0] if lines else type(error).__name__}") from error
