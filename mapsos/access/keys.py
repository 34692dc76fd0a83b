"""Keys as values: their digits, of which only a hash is stored, and what they allow."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal

from mapsos.terms.times import DAY, SECOND, format_instant
from mapsos.terms.values import dataclass

_DIGITS = re.compile("[0-9a-fA-F]{40}")
_NAME = re.compile(r"[^\W_](?:[\w .@+-]{0,62}[\w.@+])?")

_MOST_DAYS = 36_525
"""Days within which a key can expire: a hundred years."""

Right = Literal["read", "write", "admin"]


class KeysError(Exception):
    """A change of keys is not possible: the message is for the admin."""


class KeyMissingError(KeysError):
    """No key has the name."""


class KeyExistsError(KeysError):
    """A key has the name, or the same digits."""


@dataclass(frozen=True)
class Secret:
    """The digits of a key, as the store has them.

    Attributes
    ----------
    hash
        SHA-256 of the 20 bytes that the digits stand for, in hexadecimal digits.
    starts
        The first 8 digits, by which people distinguish keys.
    """

    hash: str
    starts: str


@dataclass(frozen=True)
class Key:
    """One key: its owner, and what it allows. Times are in microseconds since 1970 UTC.

    Attributes
    ----------
    name
        The name by which the admin and the log know it; unique, and never changed.
    starts
        The first 8 of its digits.
    contact, note
        For the admin only.
    expires
        The time from which it is rejected, None without one.
    per_day
        Maximum number of requests on a day of UTC, None without a limit.
    maps
        The aliases or paths of the maps that it is for, None for all maps.
    used, used_from
        Time and client address of the last request that was logged, None and empty without one.
    retiring
        For each earlier key of the same name that still works: its first 8 digits, and the time until it does.
    """

    name: str
    starts: str
    contact: str = ""
    note: str = ""
    created: int = 0
    expires: int | None = None
    active: bool = True
    may_write: bool = False
    may_admin: bool = False
    per_day: int | None = None
    maps: tuple[str, ...] | None = None
    used: int | None = None
    used_from: str = ""
    retiring: tuple[tuple[str, int], ...] = ()

    @property
    def rights(self) -> tuple[Right, ...]:
        """Return what it allows: ``read`` always."""
        more: tuple[tuple[bool, Right], ...] = ((self.may_write, "write"), (self.may_admin, "admin"))
        return ("read", *(right for is_allowed, right in more if is_allowed))

    def is_expired(self, now: int) -> bool:
        """Return whether the key is rejected at that time because it has expired."""
        return self.expires is not None and self.expires <= now


def make_digits() -> str:
    """Return a new key: 160 random bits as 40 hexadecimal digits."""
    return secrets.token_bytes(20).hex()


def read_digits(text: str) -> Secret | None:
    """Return the secret of a key's digits in any letter case; None if they are not 40 hexadecimal digits."""
    if not _DIGITS.fullmatch(text):
        return None
    digits = bytes.fromhex(text)
    return Secret(hashlib.sha256(digits).hexdigest(), digits.hex()[:8])


def check_name(name: str) -> str:
    """Return the name of a key. Raises KeysError: it does not suit a command line and a log."""
    if not _NAME.fullmatch(name):
        raise KeysError(
            f"expected a name of 1 to 64 letters, digits, spaces and ._@+- that begins with a letter or digit, got "
            f"{name[:80]!r}"
        )
    return name


def check_expiry(expires: int | None, now: int) -> int | None:
    """Return the time from which a key is rejected. Raises KeysError: it is past, or more than 100 years ahead."""
    if expires is None:
        return None
    if expires > now + _MOST_DAYS * DAY:
        raise KeysError("expected a time within 100 years: a key without an expiry works until it is removed")
    if expires <= now:
        raise KeysError(f"{format_instant(expires - expires % SECOND)} is in the past: the key would never work")
    return expires


def find_day(now: int) -> int:
    """Return the day of a time as the number of days since 1970-01-01 UTC."""
    return now // DAY


def list_days(number: int, now: int) -> list[str]:
    """Return the last days of UTC as ISO dates, the oldest first and today last."""
    first = find_day(now) - number + 1
    return [format_instant((first + index) * DAY)[:10] for index in range(number)]
