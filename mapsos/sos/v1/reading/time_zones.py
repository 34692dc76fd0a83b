"""Time zones by name or offset."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo

_OFFSET = re.compile(r"(?P<sign>[-+ ])(?P<hours>\d\d):?(?P<minutes>\d\d)?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def find_time_zone(text: str) -> tzinfo:
    """Return the zone of an IANA name (``Europe/Berlin``), an offset (``+02:00``, ``-0330``, ``+02``) or ``Z``.

    A space before the digits of an offset is a ``+`` that a query string lost.

    Raises
    ------
    ValueError
        Any other string, or a zone that does not exist.
    """
    text = text.rstrip()
    if text.strip().upper() in ("Z", "UTC"):
        return UTC
    if match := _OFFSET.fullmatch(text):
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if minutes > 59 or hours * 60 + minutes > 14 * 60:
            raise ValueError(f"a time zone that does not exist: {text}")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if match["sign"] == "-" else offset)
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a time zone: {text[:100]!r}")
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"not a time zone: {text[:100]!r}") from error
