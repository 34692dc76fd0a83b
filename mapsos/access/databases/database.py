"""The database of a store as the store sees it: connections that run statements, and one kind of error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

Reason = Literal["busy", "read-only", "full", "missing", "unsafe", "unusable"]

WAIT_SECONDS = 2.0
"""Seconds that a statement waits for a lock or a connection; then it fails as busy."""

FETCHED = 500
"""Rows that a streamed query holds in memory."""


class StoreError(Exception):
    """The store of keys cannot be used.

    Parameters
    ----------
    reason
        ``busy``: locked for too long; ``read-only``, ``full``; ``missing``: the file, the server or the tables;
        ``unsafe``: other users could write to the file; ``unusable``: any other reason.
    message
        For the admin: it can contain the path of the file, never a password.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class Connection(Protocol):
    """An open connection, used by one thread at a time. Each statement is committed, except in a transaction.

    Placeholders are ``?`` and values are bound. All methods raise `StoreError`.
    """

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, complete."""

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement without result once for each row of values."""

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query without holding all of them in memory."""

    def transact(self) -> AbstractContextManager[None]:
        """Run the statements in the block as one transaction, which can write from its beginning."""


class Database(Protocol):
    """A database that several threads and processes use. Connections are opened when needed and reused."""

    def connect(self, wait: float = WAIT_SECONDS) -> AbstractContextManager[Connection]:
        """Borrow a connection whose statements wait at most so many seconds for locks. Raises `StoreError`."""

    def create(self, statements: Sequence[str]) -> None:
        """Create the file, if it is one, and run the statements that create tables. Raises `StoreError`."""

    def close(self) -> None:
        """Close idle connections."""
