"""A store of keys in one file of SQLite, which belongs to the user of the server alone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mapsos.access.databases.database import WAIT_SECONDS, Reason, StoreError

_MOST_IDLE = 8
_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_CANTOPEN: "missing",
}
_FLUSH = 500


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
                    rows = cursor.fetchmany(_FLUSH)
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
        self._idle: list[SqliteConnection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()

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
                self._return(connection)

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
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _identify(self) -> tuple[int, int]:
        """Return device and inode of the file, whose owner and mode are checked each time."""
        # The file of a link counts: its folder is checked, which is where it could be replaced.
        found = self._look(self.path)
        self._check(found, "the file")
        self._check(self._look(os.path.dirname(self.path)), "its folder")
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
        stale: list[SqliteConnection] = []
        try:
            with self._lock:
                if self._process != os.getpid():
                    # Those of the parent process: closing them here would release its locks.
                    _abandoned.extend(self._idle)
                    self._idle, self._process = [], os.getpid()
                while self._idle:
                    connection = self._idle.pop()
                    if connection.identity == identity:
                        return connection
                    stale.append(connection)
                return None
        finally:
            for connection in stale:
                connection.close()

    def _return(self, connection: SqliteConnection) -> None:
        with self._lock:
            if len(self._idle) < _MOST_IDLE and self._process == os.getpid():
                self._idle.append(connection)
                return
        connection.close()


_abandoned: list[SqliteConnection] = []


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
