"""Times as people and loggers write them in data, beside ISO 8601: forms that can mean one time only.

A client's times are ISO 8601 (`mapsos.terms.times.parse_time`). Not read are dates with slashes that begin with a day
or a month (``03/04/2024``), and digits that may be a date with an hour or seconds (``2024030107``).
"""

from __future__ import annotations

import re

from mapsos.terms.times import DAY, EARLIEST, LATEST, SECOND, Interval, parse_time

_ZONE = r"[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?"

REWRITINGS: tuple[tuple[str, str], ...] = (
    # GDAL's form, and a zone behind a space.
    (r"^([0-9]{4})/([0-9]{2})/([0-9]{2})($|[^0-9].*$)", r"\1-\2-\3\4"),
    (rf"^([0-9].*:[0-9]{{2}}(?:[.,][0-9]+)?) +({_ZONE})$", r"\1\2"),
    (r"^([0-9].*:[0-9]{2}(?:[.,][0-9]+)?) ?(?:UTC|GMT)$", r"\1Z"),
    # 1.3.2024 7:00: with dots the day comes first everywhere.
    (r"^([0-9])\.([0-9]{1,2}\.[0-9]{4}($|[^0-9].*$))", r"0\1.\2"),
    (r"^([0-9]{2})\.([0-9])\.([0-9]{4}($|[^0-9].*$))", r"\1.0\2.\3"),
    (r"^([0-9]{2}\.[0-9]{2}\.[0-9]{4})(?: |, ?|T)([0-9]:.*)$", r"\1 0\2"),
    (r"^([0-9]{2})\.([0-9]{2})\.([0-9]{4})$", r"\3-\2-\1"),
    (r"^([0-9]{2})\.([0-9]{2})\.([0-9]{4})(?: |, ?|T)([0-9]{2}:[0-9]{2}.*)$", r"\3-\2-\1T\4"),
    # Without marks, and without seconds.
    (r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", r"\1-\2-\3T\4:\5:\6"),
    (r"^([0-9]{4})([0-9]{2})([0-9]{2})[T ]([0-9]{2})([0-9]{2})([0-9]{2})($|[^0-9].*$)", r"\1-\2-\3T\4:\5:\6\7"),
    (rf"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}})({_ZONE})?$", r"\1:00\2"),
)
"""Regular expressions and what replaces their matches, in this order: of Python and of RE2 alike."""

EPOCH_DIGITS = r"^(?:[0-9]{9,10}(?:\.[0-9]{1,9})?|[0-9]{13})$"
"""Seconds since 1970 UTC, or milliseconds."""

MILLISECONDS = 1_000_000_000_000
"""The least number of milliseconds: of 13 digits."""

NO_EPOCH = r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])$"
"""Ten digits that may be a date and an hour as well."""

_WHITE = " \t\r\n"
_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in REWRITINGS)


def rewrite_time(text: str) -> str:
    """Return a string as ISO 8601 if it has one of the forms, else as it is."""
    for pattern, replacement in _COMPILED:
        text = pattern.sub(replacement, text)
    return text


def parse_epoch(text: str) -> int | None:
    """Return microseconds since 1970 UTC of seconds or milliseconds in digits; None for another string."""
    if not re.match(EPOCH_DIGITS, text) or re.match(NO_EPOCH, text):
        return None
    whole, _, fraction = text.partition(".")
    microseconds = int(whole) * (1000 if len(whole) == 13 else SECOND) + int(fraction[:6].ljust(6, "0"))
    return microseconds if EARLIEST <= microseconds < LATEST else None


def parse_value(text: str) -> Interval | None:
    """Return the time of one string as `mapsos.columns.iso_times` reads it in a column; None if it is not a time."""
    text = text.strip(_WHITE)
    if (instant := parse_epoch(text)) is not None:
        return Interval(instant, instant + 1)
    if text.lower() == "now":
        return None
    try:
        interval = parse_time(rewrite_time(text))
    except ValueError:
        return None
    return interval if interval.end - interval.begin > DAY else Interval(interval.begin, interval.begin + 1)
