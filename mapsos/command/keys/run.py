"""The actions of ``mapsos keys``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mapsos.access.databases.database import StoreError
from mapsos.access.keys import Key, KeyMissingError, KeysError, check_expiry, list_days
from mapsos.access.log_store import LogFilter, read_entries
from mapsos.access.store import KeyStore, open_store
from mapsos.command.keys.moments import read_future, read_past, show_time
from mapsos.command.keys.writing import describe_key, write_json, write_key, write_keys, write_log
from mapsos.config.settings import SettingsError, read_settings
from mapsos.terms.times import DAY, current_time

if TYPE_CHECKING:
    from argparse import Namespace

_MISSING = 1
_FAILED = 2
_SCHEMES = ("postgresql://", "postgres://")


def run_action(action: str, options: Namespace) -> int:
    """Run an action with its parsed arguments.

    Return 0; 1 if no key has the name; 2 if the change is not possible or the store cannot be used.
    """
    try:
        store = open_store(_find_location(options))
        try:
            return _RUN[action](store, options, current_time())
        finally:
            store.database.close()
    except (KeysError, StoreError, SettingsError) as error:
        sys.stderr.write(f"mapsos keys {action}: {error}{_advise(error)}\n")
        return _MISSING if isinstance(error, KeyMissingError) else _FAILED


def _find_location(options: Namespace) -> str:
    stated: str | None = options.keys
    if stated is not None:
        return stated if stated.startswith(_SCHEMES) else os.path.abspath(stated)
    location = read_settings(os.environ, options.conf).keys
    if location is None:
        raise SettingsError("no store of keys is named: set MAPSOS_KEYS, or use --keys")
    return location


def _advise(error: Exception) -> str:
    if isinstance(error, StoreError) and error.reason == "missing":
        return ". mapsos keys add makes the store with the first key, in a folder that exists"
    return ""


def _add(store: KeyStore, options: Namespace, now: int) -> int:
    key = Key(
        name=options.name,
        starts="",
        contact=options.contact,
        note=options.note,
        created=now,
        expires=_read_expiry(options.expires, now),
        active=not options.disabled,
        may_write=options.write,
        may_admin=options.admin,
        per_day=options.per_day,
        maps=None if options.maps is None else tuple(_read_map(text) for text in options.maps),
    )
    taken = sys.stdin.readline().strip() if options.key == "-" else options.key
    try:
        digits = store.add(key, taken)
    except StoreError as error:
        if error.reason != "missing":
            raise
        store.create()
        digits = store.add(key, taken)
    _write_key(store, options, now, None if options.key is not None else digits)
    return 0


def _read_expiry(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        expires = read_future(text, now)
    except ValueError:
        raise KeysError(f"expected a time such as 2027-01-31 or 90d after --expires, got {text!r}") from None
    return check_expiry(expires, now)


def _read_map(text: str) -> str:
    """Return the path of a map that was named by its file, else its alias."""
    if os.sep not in text and not text.lower().endswith(".map"):
        return text
    path = os.path.abspath(text)
    if not os.path.isfile(path):
        sys.stderr.write(f"mapsos keys add: {path} is not a file yet\n")
    return path


def _write_key(store: KeyStore, options: Namespace, now: int, digits: str | None) -> None:
    """Write a new key to standard output, alone, where a program or a file takes it over."""
    if options.json:
        made = describe_key(store.show(options.name, now), _count_today(store, options.name, now), now)
        sys.stdout.write(write_json(made if digits is None else {**made, "key": digits}))
        return
    if digits is not None:
        sys.stdout.write(f"{digits}\n")
        sys.stdout.flush()
        sys.stderr.write(f"This is the key of {options.name}. It cannot be shown again.\n")


def _list(store: KeyStore, options: Namespace, now: int) -> int:
    keys = store.list_keys(now)
    if options.unused is not None:
        before = now - options.unused * DAY
        keys = [(key, today) for key, today in keys if (key.created if key.used is None else key.used) <= before]
    if options.json:
        sys.stdout.write(write_json([describe_key(key, today, now) for key, today in keys]))
    elif keys:
        sys.stdout.writelines(write_keys(keys, now))
    else:
        sys.stderr.write("mapsos keys list: none found\n")
    return 0


def _show(store: KeyStore, options: Namespace, now: int) -> int:
    key = store.show(options.name, now)
    days = store.count_days(now, options.name)[options.name]
    if options.json:
        counts = [
            {"day": day, "requests": number} for day, number in zip(list_days(len(days), now), days, strict=True)
        ]
        sys.stdout.write(write_json({**describe_key(key, days[-1], now), "days": counts}))
    else:
        sys.stdout.writelines(write_key(key, days, now))
    return 0


def _disable(store: KeyStore, options: Namespace, now: int) -> int:
    store.set_active(options.name, False)
    return _confirm(store, options, now, f"{options.name} is disabled.")


def _enable(store: KeyStore, options: Namespace, now: int) -> int:
    store.set_active(options.name, True)
    return _confirm(store, options, now, f"{options.name} is enabled.")


def _limit(store: KeyStore, options: Namespace, now: int) -> int:
    store.limit(options.name, options.per_day)
    per_day = "no limit" if options.per_day is None else f"a limit of {options.per_day} requests a day"
    return _confirm(store, options, now, f"{options.name} has {per_day}.")


def _rotate(store: KeyStore, options: Namespace, now: int) -> int:
    digits = store.rotate(options.name, now, options.keep)
    _write_key(store, options, now, digits)
    if not options.json and options.keep:
        for starts, until in store.show(options.name, now).retiring:
            sys.stderr.write(f"The old key {starts}... works until {show_time(until)}.\n")
    return 0


def _remove(store: KeyStore, options: Namespace, now: int) -> int:
    store.remove(options.name)
    sys.stdout.write(write_json({"name": options.name}) if options.json else f"{options.name} is removed.\n")
    return 0


def _confirm(store: KeyStore, options: Namespace, now: int, text: str) -> int:
    if options.json:
        key = store.show(options.name, now)
        sys.stdout.write(write_json(describe_key(key, _count_today(store, options.name, now), now)))
    else:
        sys.stdout.write(f"{text}\n")
    return 0


def _count_today(store: KeyStore, name: str, now: int) -> int:
    return store.count_days(now, name, 1)[name][-1]


def _log(store: KeyStore, options: Namespace, now: int) -> int:
    wanted = LogFilter(
        name=options.name,
        since=_read_bound(options.since, "--since", now),
        until=_read_bound(options.until, "--until", now),
        map=options.map,
        operation=options.operation,
        address=options.address,
        status=options.status,
        last=options.last,
    )
    is_empty = True
    for line in write_log(read_entries(store.database, wanted), as_json=options.json):
        is_empty = False
        sys.stdout.write(line)
    if is_empty and options.name is not None:
        # A key that was removed still has its lines; without any, the name may be misspelt.
        store.show(options.name, now)
    return 0


def _read_bound(text: str | None, option: str, now: int) -> int | None:
    if text is None:
        return None
    try:
        return read_past(text, now)
    except ValueError:
        raise KeysError(f"expected a time such as 2026-11-30T08:00Z or 2h after {option}, got {text!r}") from None


_RUN: Mapping[str, Callable[[KeyStore, Namespace, int], int]] = {
    "add": _add,
    "list": _list,
    "show": _show,
    "disable": _disable,
    "enable": _enable,
    "limit": _limit,
    "rotate": _rotate,
    "remove": _remove,
    "log": _log,
}
