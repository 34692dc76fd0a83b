"""Keys, counts and lines of the log as texts for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mapsos.access.keys import Key, list_days
from mapsos.access.log_store import LogEntry
from mapsos.command.keys.moments import show_time, write_time

_BAR = 40
"""Characters of the longest bar of a day."""
_LOG_COLUMNS = (
    ("time (UTC)", 23), ("key", 16), ("address", 15), ("method", 6), ("map", 12), ("operation", 18), ("status", 6),
    ("rows", 9), ("bytes", 11), ("ms", 9),
)  # fmt: skip
_NUMBERS = ("rows", "bytes", "ms", "per day", "today")


def find_state(key: Key, now: int) -> str:
    """Return ``active``, ``disabled`` or ``expired``."""
    return "disabled" if not key.active else "expired" if key.is_expired(now) else "active"


def describe_key(key: Key, today: int, now: int) -> dict[str, Any]:
    """Return a key as JSON has it, with the number of its requests today; never its digits but the first 8."""
    return {
        "name": key.name,
        "starts": key.starts,
        "state": find_state(key, now),
        "active": key.active,
        "rights": list(key.rights),
        "maps": None if key.maps is None else list(key.maps),
        "per_day": key.per_day,
        "today": today,
        "used": write_time(key.used),
        "used_from": key.used_from or None,
        "created": write_time(key.created),
        "expires": write_time(key.expires),
        "retiring": [{"starts": starts, "until": write_time(until)} for starts, until in key.retiring],
        "contact": key.contact,
        "note": key.note,
    }


def write_json(value: Any) -> str:
    """Return a value as JSON for people and programs, with a line break."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write_keys(keys: Sequence[tuple[Key, int]], now: int) -> Iterator[str]:
    """Yield the lines of a table of keys, each with the number of its requests today."""
    head = ("name", "key", "state", "rights", "per day", "today", "last use", "expires", "maps")
    rows = [
        (
            key.name,
            f"{key.starts}...",
            find_state(key, now),
            ", ".join(key.rights),
            "no limit" if key.per_day is None else str(key.per_day),
            str(today),
            show_time(key.used) or "never",
            show_time(key.expires) or "never",
            "all" if key.maps is None else ", ".join(key.maps),
        )
        for key, today in keys
    ]
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    for row in (head, *rows):
        yield _align(row, head, widths)


def write_key(key: Key, days: Sequence[int], now: int) -> Iterator[str]:
    """Yield the lines about a key; ``days`` are its requests by day, today last."""
    limit = "no limit" if key.per_day is None else f"{key.per_day} a day"
    facts = [
        ("name", key.name),
        ("key", f"{key.starts}..."),
        ("state", find_state(key, now)),
        ("rights", ", ".join(key.rights)),
        ("maps", "all" if key.maps is None else ", ".join(key.maps)),
        ("limit", limit),
        ("created", show_time(key.created)),
        ("expires", show_time(key.expires) or "never"),
        ("last use", f"{show_time(key.used)}, from {key.used_from or 'an unknown address'}" if key.used else "never"),
        *((f"old key {starts}...", f"works until {show_time(until)}") for starts, until in key.retiring),
        ("contact", key.contact),
        ("note", key.note),
    ]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        if text:
            yield f"{name:<{width}}  {_clean(text)}\n"
    yield "\nrequests by day (UTC)\n"
    most = max((*days, 1))
    number = len(str(most))
    for day, count in zip(list_days(len(days), now), days, strict=True):
        yield f"{day}  {count:>{number}}  {'#' * -(-count * _BAR // most)}".rstrip() + "\n"


def write_log(entries: Iterable[LogEntry], *, as_json: bool) -> Iterator[str]:
    """Yield the lines of the log, with a heading before the first of them, or as one JSON object each."""
    head = tuple(name for name, _ in _LOG_COLUMNS)
    widths = [width for _, width in _LOG_COLUMNS]
    is_first = not as_json
    for entry in entries:
        if as_json:
            yield json.dumps(_describe_entry(entry), ensure_ascii=False) + "\n"
            continue
        if is_first:
            yield _align(head, head, widths)
            is_first = False
        yield _align(
            (
                _show_milliseconds(entry.time), entry.name, entry.address or "-", entry.method, entry.map or "-",
                entry.operation or "-", str(entry.status), str(entry.rows), str(entry.bytes), f"{entry.ms:.1f}",
            ),
            head,
            widths,
        )  # fmt: skip


def _describe_entry(entry: LogEntry) -> dict[str, Any]:
    return {
        "time": write_time(entry.time),
        "name": entry.name,
        "address": entry.address,
        "method": entry.method,
        "map": entry.map,
        "operation": entry.operation,
        "status": entry.status,
        "rows": entry.rows,
        "bytes": entry.bytes,
        "ms": entry.ms,
    }


def _show_milliseconds(time: int) -> str:
    return f"{show_time(time).removesuffix(' UTC')}.{time // 1000 % 1000:03d}"


def _align(cells: Sequence[str], head: Sequence[str], widths: Sequence[int]) -> str:
    shown = [
        f"{_clean(cell):>{width}}" if name in _NUMBERS else f"{_clean(cell):<{width}}"
        for cell, name, width in zip(cells, head, widths, strict=True)
    ]
    return "  ".join(shown).rstrip() + "\n"


def _clean(text: str) -> str:
    """Replace what would move the cursor of a terminal: methods and addresses are clients' texts."""
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)
