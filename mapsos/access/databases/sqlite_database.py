"""A store of keys in one file of SQLite, which belongs to the user of the server alone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mapsos.access.databases.database import FETCHED, WAIT_SECONDS, Reason, StoreError
from mapsos.access.databases.idle_connections import IdleConnections

_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CANTOPEN: "missing",
}


class SqliteConnection:
    """A `mapsos.access.databases.database.Connection` to a file of SQLite."""

    def __init__(self, path: str, identity: tuple[int, int]) -> None:
        self.identity = identity
        self._path = path
        self._wait = -1.0
        with self._errors():
            # mode=rw: a store that is missing is not created by a server.
            uri = "file:" + "".join(_quote(character) for character in path) + "?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            try:
                # Else a transaction in WAL mode waits for the disk; a crash of the machine may lose the last counts.
                self._connection.execute("PRAGMA synchronous = NORMAL")
            except sqlite3.Error:
                self._connection.close()
                raise

    def wait(self, seconds: float) -> None:
        """Set how long statements wait for locks."""
        if seconds != self._wait:
            self._connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
            self._wait = seconds

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        with self._errors():
            return self._connection.execute(statement, values).fetchall()

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        with self._errors():
            self._connection.executemany(statement, rows)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query."""
        with self._errors():
            cursor = self._connection.execute(statement, values)
        try:
            while True:
                with self._errors():
                    rows = cursor.fetchmany(FETCHED)
                if not rows:
                    return
                yield from rows
        finally:
            cursor.close()

    @contextmanager
    def transact(self) -> Iterator[None]:
        """Run the statements in the block as one transaction."""
        # IMMEDIATE: a transaction that reads first and writes later fails when another one has written in between.
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            with contextlib.suppress(StoreError):
                if self._connection.in_transaction:
                    self.run("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translate(error, self._path) from error


class SqliteDatabase:
    """A `mapsos.access.databases.database.Database` in a file of SQLite.

    Parameters
    ----------
    path
        The absolute path of the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._idle: IdleConnections[SqliteConnection] = IdleConnections()

    @contextmanager
    def connect(self, wait: float = WAIT_SECONDS) -> Iterator[SqliteConnection]:
        """Borrow a connection. Raises StoreError: the file is missing, or other users could write to it."""
        identity = self._identify()
        connection = self._take(identity)
        try:
            if connection is None:
                connection = SqliteConnection(self.path, identity)
            connection.wait(wait)
            yield connection
        except StoreError as error:
            # The connection is usable after a wait for a lock.
            if connection is not None and error.reason != "busy":
                connection.close()
                connection = None
            raise
        finally:
            if connection is not None:
                self._idle.give_back(connection)

    def create(self, statements: Sequence[str]) -> None:
        """Create the file with mode 0600, and the tables. As root, the file belongs to the owner of its folder."""
        folder = os.path.dirname(self.path)
        # First, so that no file is left in a folder where others could replace it.
        self._check(self._look(folder), "its folder")
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            pass
        except OSError as error:
            reason: Reason = "read-only" if isinstance(error, PermissionError) else "unusable"
            raise StoreError(reason, f"{self.path} cannot be created: {error.strerror}") from error
        else:
            with os.fdopen(number, "rb") as file:
                if os.geteuid() == 0:
                    owner = os.stat(folder)
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        with self.connect() as connection:
            connection.run("PRAGMA journal_mode = WAL")
            with connection.transact():
                for statement in statements:
                    connection.run(statement)

    def close(self) -> None:
        """Close idle connections."""
        self._idle.close()

    def _identify(self) -> tuple[int, int]:
        """Return device and inode of the file, whose owner and mode are checked each time."""
        found = self._look(self.path)
        self._check(found, "the file")
        # Of a link and of its file: in either folder the store could be replaced.
        for folder in {os.path.dirname(self.path), os.path.dirname(os.path.realpath(self.path))}:
            self._check(self._look(folder), "its folder")
        if not stat.S_ISREG(found.st_mode):
            raise StoreError("unusable", f"{self.path} is not a file")
        return found.st_dev, found.st_ino

    def _look(self, path: str) -> os.stat_result:
        try:
            return os.stat(path)
        except OSError as error:
            raise StoreError("missing", f"{path}: {error.strerror}") from error

    def _check(self, status: os.stat_result, what: str) -> None:
        user = os.geteuid()
        owned = user in (0, status.st_uid) or (what == "its folder" and status.st_uid == 0)
        if not owned or status.st_mode & 0o022:
            message = f"{self.path} is not used: {what} must belong to user {user}, and no other may write to it"
            raise StoreError("unsafe", message)

    def _take(self, identity: tuple[int, int]) -> SqliteConnection | None:
        while (connection := self._idle.take()) is not None:
            if connection.identity == identity:
                return connection
            connection.close()
        return None


def _quote(character: str) -> str:
    """Quote a character of a path for a URI of SQLite."""
    return character if character.isalnum() or character in "/._-" else "".join(
        f"%{byte:02X}" for byte in os.fsencode(character)
    )


def _translate(error: sqlite3.Error, path: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    reason = _REASONS.get(code, "unusable")
    if code == sqlite3.SQLITE_ERROR and "no such table" in str(error):
        reason = "missing"
    return StoreError(reason, f"{path}: {error}")
