"""The store of keys: every statement that reads or changes keys and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mapsos.access.databases.database import Connection, Database
from mapsos.access.databases.sqlite_database import SqliteDatabase
from mapsos.access.keys import (
    Key,
    KeyExistsError,
    KeyMissingError,
    KeysError,
    Secret,
    check_name,
    find_day,
    make_digits,
    read_digits,
)
from mapsos.access.tables import TABLES
from mapsos.terms.times import HOUR, MINUTE

DAYS = 30
"""Days of counts that commands and pages show, today included."""

_COLUMNS = (
    "k.name, s.starts, k.contact, k.note, k.created, k.expires, k.active, k.may_write, k.may_admin, k.per_day, k.maps, "
    "k.used, k.used_from"
)
_UNLIMITED = 2**62


class KeyStore:
    """Keys and their counts. Safe for threads and for several processes.

    Every method raises `mapsos.access.databases.database.StoreError`, and those that name a key `KeyMissingError`.
    ``now`` is the current time in microseconds since 1970 UTC.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self) -> None:
        """Create the store, unless it exists."""
        self.database.create(TABLES)

    # What a request does.

    def find(self, secret: Secret, now: int) -> Key | None:
        """Return the key of these digits, None if they are unknown or were replaced; without ``retiring``."""
        with self.database.connect() as connection:
            return _find(connection, secret, now)

    def count(self, name: str, per_day: int | None, now: int) -> bool:
        """Count one request of a key on the day of ``now``, and return whether it is within the maximum.

        One statement decides and counts, so that several processes count exactly. Beyond the maximum nothing changes.
        """
        with self.database.connect() as connection:
            return _count(connection, name, per_day, now)

    def count_back(self, name: str, now: int) -> None:
        """Undo one count of the day of ``now``: the request turned out to be one that does not count."""
        with self.database.connect() as connection:
            connection.run(
                "UPDATE mapsos_key_counts SET n = n - 1 WHERE name = ? AND day = ? AND n > 0", (name, find_day(now))
            )

    def count_failure(self, address: str, now: int) -> int:
        """Count a wrong key from an address, and return how many there were in this minute, this one included."""
        with self.database.connect() as connection:
            rows = connection.run(
                "INSERT INTO mapsos_key_failures AS f (address, minute, n) VALUES (?, ?, 1) "
                "ON CONFLICT (address, minute) DO UPDATE SET n = f.n + 1 RETURNING n",
                (address, now // MINUTE),
            )
            return int(rows[0][0])

    # What an admin does.

    def add(self, key: Key, digits: str | None = None) -> str:
        """Add a key and return its digits, which nothing can show again.

        Parameters
        ----------
        key
            ``starts``, ``used``, ``used_from`` and ``retiring`` are ignored.
        digits
            40 hexadecimal digits that an old gateway has issued; None for new ones.

        Raises
        ------
        KeysError
            The name, the digits or the maximum cannot be accepted.
        KeyExistsError
            A key has this name or these digits.
        """
        check_name(key.name)
        digits = make_digits() if digits is None else digits.lower()
        secret = read_digits(digits)
        if secret is None:
            raise KeysError("expected a key of 40 hexadecimal digits")
        _check_limit(key.per_day)
        maps = None if key.maps is None else json.dumps(list(key.maps), ensure_ascii=False)
        with self._change() as connection:
            added = connection.run(
                "INSERT INTO mapsos_keys (name, contact, note, created, expires, active, may_write, may_admin, "
                "per_day, maps, used, used_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, '') "
                "ON CONFLICT DO NOTHING RETURNING name",
                (
                    key.name, key.contact, key.note, key.created, key.expires, int(key.active), int(key.may_write),
                    int(key.may_admin), key.per_day, maps,
                ),
            )  # fmt: skip
            if not added:
                raise KeyExistsError(f"a key of the name {key.name} exists")
            _add_secret(connection, key.name, secret)
        return digits

    def show(self, name: str, now: int) -> Key:
        """Return a key by its name."""
        with self.database.connect() as connection:
            return _show(connection, name, now)

    def list_keys(self, now: int) -> list[tuple[Key, int]]:
        """Return all keys by name, each with the number of its requests today."""
        with self.database.connect() as connection:
            rows = connection.run(
                f"SELECT {_COLUMNS}, COALESCE(c.n, 0) FROM mapsos_keys k "
                "JOIN mapsos_key_secrets s ON s.name = k.name AND s.expires IS NULL "
                "LEFT JOIN mapsos_key_counts c ON c.name = k.name AND c.day = ? ORDER BY k.name",
                (find_day(now),),
            )
            retiring: dict[str, list[tuple[str, int]]] = {}
            for name, starts, expires in connection.run(
                "SELECT name, starts, expires FROM mapsos_key_secrets WHERE expires > ? ORDER BY expires", (now,)
            ):
                retiring.setdefault(name, []).append((starts, expires))
        return [(_read(row[:-1], tuple(retiring.get(row[0], ()))), int(row[-1])) for row in rows]

    def count_days(self, now: int, name: str | None = None, days: int = DAYS) -> dict[str, tuple[int, ...]]:
        """Return the requests on each of the last days by key, the oldest first and today last.

        Parameters
        ----------
        name
            The key; None for all keys. A key without a request has only zeros.
        """
        last = find_day(now)
        condition, values = ("", ()) if name is None else (" AND k.name = ?", (name,))
        with self.database.connect() as connection:
            if name is not None:
                _show(connection, name, now)
            rows = connection.run(
                "SELECT k.name, c.day, c.n FROM mapsos_keys k LEFT JOIN mapsos_key_counts c ON c.name = k.name "
                f"AND c.day > ? AND c.day <= ? WHERE 1 = 1{condition} ORDER BY k.name",
                (last - days, last, *values),
            )
        found: dict[str, list[int]] = {}
        for key, day, count in rows:
            counts = found.setdefault(key, [0] * days)
            if day is not None:
                counts[day - last + days - 1] = int(count)
        return {key: tuple(counts) for key, counts in found.items()}

    def set_active(self, name: str, active: bool) -> None:
        """Enable or disable a key, for the next request of every process."""
        self._set(name, "active", int(active))

    def limit(self, name: str, per_day: int | None) -> None:
        """Set the maximum number of requests a day, None for no limit. Raises KeysError for one below 1."""
        _check_limit(per_day)
        self._set(name, "per_day", per_day)

    def rotate(self, name: str, now: int, keep_hours: float = 0.0, digits: str | None = None) -> str:
        """Replace the digits of a key and return the new ones; the old ones still work for so many hours.

        Name, rights, counts and log stay. Raises KeysError for wrong digits, KeyExistsError for those of another key.
        """
        digits = make_digits() if digits is None else digits.lower()
        secret = read_digits(digits)
        if secret is None or not keep_hours >= 0:
            raise KeysError("expected 40 hexadecimal digits, and a number of hours of at least 0")
        with self._change() as connection:
            _show(connection, name, now)
            until = now + round(keep_hours * HOUR)
            connection.run(
                "UPDATE mapsos_key_secrets SET expires = ? WHERE name = ? AND expires IS NULL", (until, name)
            )
            connection.run("DELETE FROM mapsos_key_secrets WHERE name = ? AND expires <= ?", (name, now))
            _add_secret(connection, name, secret)
        return digits

    def remove(self, name: str) -> None:
        """Remove a key and its counts. Its lines of the log stay until they are old enough."""
        with self._change() as connection:
            if not connection.run("DELETE FROM mapsos_keys WHERE name = ? RETURNING name", (name,)):
                raise _missing(name)
            connection.run("DELETE FROM mapsos_key_secrets WHERE name = ?", (name,))
            connection.run("DELETE FROM mapsos_key_counts WHERE name = ?", (name,))

    def _set(self, name: str, column: str, value: int | None) -> None:
        # The columns are those named above.
        with self._change() as connection:
            if not connection.run(f"UPDATE mapsos_keys SET {column} = ? WHERE name = ? RETURNING name", (value, name)):
                raise _missing(name)

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        with self.database.connect() as connection, connection.transact():
            yield connection


def open_database(location: str) -> Database:
    """Return the database of a store: PostgreSQL for a URL, else SQLite for the absolute path of a file.

    Nothing is opened before it is used.
    """
    if location.startswith(("postgresql://", "postgres://")):
        from mapsos.access.databases.postgresql_database import PostgresqlDatabase

        return PostgresqlDatabase(location)
    return SqliteDatabase(location)


def open_store(location: str) -> KeyStore:
    """Return the store of a location, as MAPSOS_KEYS states it. Nothing is opened before it is used."""
    return KeyStore(open_database(location))


def _find(connection: Connection, secret: Secret, now: int) -> Key | None:
    rows = connection.run(
        f"SELECT {_COLUMNS} FROM mapsos_key_secrets s JOIN mapsos_keys k ON k.name = s.name "
        "WHERE s.hash = ? AND (s.expires IS NULL OR s.expires > ?)",
        (secret.hash, now),
    )
    return _read(rows[0]) if rows else None


def _count(connection: Connection, name: str, per_day: int | None, now: int) -> bool:
    if per_day is not None and per_day < 1:
        return False
    rows = connection.run(
        "INSERT INTO mapsos_key_counts AS c (name, day, n) VALUES (?, ?, 1) "
        "ON CONFLICT (name, day) DO UPDATE SET n = c.n + 1 WHERE c.n < ? RETURNING n",
        (name, find_day(now), _UNLIMITED if per_day is None else per_day),
    )
    return bool(rows)


def _show(connection: Connection, name: str, now: int) -> Key:
    rows = connection.run(
        f"SELECT {_COLUMNS} FROM mapsos_keys k JOIN mapsos_key_secrets s ON s.name = k.name AND s.expires IS NULL "
        "WHERE k.name = ?",
        (name,),
    )
    if not rows:
        raise _missing(name)
    retiring = connection.run(
        "SELECT starts, expires FROM mapsos_key_secrets WHERE name = ? AND expires > ? ORDER BY expires", (name, now)
    )
    return _read(rows[0], tuple((starts, expires) for starts, expires in retiring))


def _add_secret(connection: Connection, name: str, secret: Secret) -> None:
    added = connection.run(
        "INSERT INTO mapsos_key_secrets (hash, name, starts, expires) VALUES (?, ?, ?, NULL) "
        "ON CONFLICT DO NOTHING RETURNING name",
        (secret.hash, name, secret.starts),
    )
    if not added:
        raise KeyExistsError("another key has these digits")


def _read(row: Sequence[Any], retiring: tuple[tuple[str, int], ...] = ()) -> Key:
    (name, starts, contact, note, created, expires, active, may_write, may_admin, per_day, maps, used, used_from) = row
    return Key(
        name=name,
        starts=starts,
        contact=contact,
        note=note,
        created=created,
        expires=expires,
        active=bool(active),
        may_write=bool(may_write),
        may_admin=bool(may_admin),
        per_day=per_day,
        maps=None if maps is None else tuple(json.loads(maps)),
        used=used,
        used_from=used_from,
        retiring=retiring,
    )


def _check_limit(per_day: int | None) -> None:
    if per_day is not None and not 1 <= per_day < _UNLIMITED:
        raise KeysError(f"expected a maximum of at least 1 request a day, got {per_day}")


def _missing(name: str) -> KeyMissingError:
    return KeyMissingError(f"no key has the name {name}")
