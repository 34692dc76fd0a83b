"""Forms of the page of keys: what is typed becomes a change of the store, and its message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mapsos.access.keys import Key, KeysError, check_expiry
from mapsos.access.store import KeyStore
from mapsos.encodings.registry import gettext_noop
from mapsos.terms.times import parse_time
from mapsos.terms.values import dataclass

FIELDS = ("name", "contact", "note", "per_day", "expires", "keep")
"""Fields that are filled in again where a form could not be used."""


@dataclass(frozen=True)
class Change:
    """A change that a form made.

    Attributes
    ----------
    done
        The text of the page about it, in English, with ``%(name)s`` in it.
    name
        The name of the key.
    digits
        The new key, None where none was made.
    """

    done: str
    name: str
    digits: str | None = None


@dataclass(frozen=True)
class Typed:
    """The fields of a form, each with the texts that it has."""

    fields: Mapping[str, tuple[str, ...]]

    def read(self, name: str) -> str:
        """Return a field without white space around it; empty if it is missing."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def read_all(self, name: str) -> tuple[str, ...]:
        """Return all texts of a field."""
        return self.fields.get(name, ())


def make_change(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    """Make the change of a form.

    Parameters
    ----------
    maps
        The aliases of the maps that a key can be for.
    now
        The current time in microseconds since 1970 UTC.

    Raises
    ------
    KeysError
        The change is not possible.
    mapsos.access.databases.database.StoreError
        The store cannot be used.
    """
    for name, change in _CHANGES.items():
        if name in typed.fields:
            return change(store, typed, maps, now)
    raise KeysError("the form has no button of this page")


def _add(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    chosen = typed.read_all("map")
    if any(name not in maps for name in chosen):
        raise KeysError("expected maps of this server")
    name = typed.read("name")
    key = Key(
        name=name,
        starts="",
        contact=typed.read("contact"),
        note=typed.read("note"),
        created=now,
        expires=_read_expiry(typed.read("expires"), now),
        may_write=bool(typed.read("write")),
        may_admin=bool(typed.read("admin")),
        per_day=_read_limit(typed.read("per_day")),
        maps=chosen or None,
    )
    return Change(gettext_noop("The key of %(name)s was made."), name, store.add(key))


def _disable(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    name = typed.read("disable")
    store.set_active(name, False)
    return Change(gettext_noop("%(name)s is disabled."), name)


def _enable(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    name = typed.read("enable")
    store.set_active(name, True)
    return Change(gettext_noop("%(name)s is enabled."), name)


def _limit(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    name = typed.read("key")
    store.limit(name, _read_limit(typed.read("per_day")))
    return Change(gettext_noop("The limit of %(name)s was set."), name)


def _rotate(store: KeyStore, typed: Typed, maps: Mapping[str, Any], now: int) -> Change:
    name, keep = typed.read("key"), typed.read("keep") or "0"
    if not (keep.isascii() and keep.isdigit() and len(keep) < 6):
        raise KeysError(f"expected a number of hours, got {keep[:20]!r}")
    return Change(gettext_noop("The key of %(name)s was replaced."), name, store.rotate(name, now, int(keep)))


def _read_limit(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise KeysError(f"expected an integer of at least 1 as the limit, got {text[:20]!r}")
    return int(text)


def _read_expiry(text: str, now: int) -> int | None:
    if not text:
        return None
    try:
        day = parse_time(text, now=now).begin
    except ValueError:
        raise KeysError(f"expected a day such as 2027-01-31, got {text[:20]!r}") from None
    return check_expiry(day, now)


_CHANGES: Mapping[str, Callable[[KeyStore, Typed, Mapping[str, Any], int], Change]] = {
    "add": _add,
    "disable": _disable,
    "enable": _enable,
    "limit": _limit,
    "rotate": _rotate,
}
"""By the name of the button."""
