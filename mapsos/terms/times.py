"""Times as strings, as intervals and as a client requests them: parse and write them.

Strings are ISO 8601, in UTC without a zone. Instants are microseconds since 1970-01-01T00:00:00Z, in the proleptic
Gregorian calendar, years 1 to 9999.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

FOREVER = 2**62
"""Microseconds that stand for an open end; its negative for an open begin."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = date(1970, 1, 1).toordinal()
"""The ordinal of 1970-01-01."""

_WHITE = " \t\r\n"

EARLIEST = (1 - EPOCH) * DAY
"""The first microsecond of the year 1."""
LATEST = (date.max.toordinal() + 1 - EPOCH) * DAY
"""The end of the year 9999, exclusive."""

_INSTANT = re.compile(
    r"""
    (?P<year>[0-9]{4})
    (?: -?W(?P<week>[0-9]{2}) (?: -?(?P<weekday>[1-7]) )?
      | (?P<dash>-?) (?P<ordinal>[0-9]{3})
      | -(?P<month>[0-9]{2}) (?: -(?P<day>[0-9]{2}) )?
      | (?P<basic_month>[0-9]{2}) (?P<basic_day>[0-9]{2})
    )?
    (?: [T ] (?P<hour>[0-9]{2})
        (?: (?P<colon>:?) (?P<minute>[0-9]{2}) (?: (?P=colon) (?P<second>[0-9]{2}) )? )?
        (?: [.,] (?P<fraction>[0-9]{1,30}) )?
        (?P<zone> Z | [-+ ][0-9]{2} (?: :?[0-9]{2} )? )?
      | (?P<date_zone> Z | [-+][0-9]{2}:[0-9]{2} )?
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DURATION = re.compile(
    r"""
    P (?: (?P<weeks>[0-9]{1,9} (?: [.,][0-9]{1,9} )? ) W
        | (?: (?P<years>[0-9]{1,9})Y )? (?: (?P<months>[0-9]{1,9})M )?
          (?: (?P<days>[0-9]{1,9} (?: [.,][0-9]{1,9} (?=D$) )? )D )?
          (?: T (?=[0-9])
              (?: (?P<hours>[0-9]{1,9} (?: [.,][0-9]{1,9} (?=H$) )? )H )?
              (?: (?P<minutes>[0-9]{1,9} (?: [.,][0-9]{1,9} (?=M$) )? )M )?
              (?: (?P<seconds>[0-9]{1,9} (?: [.,][0-9]{1,9} )? )S )? )?
      )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, order=True)
class Interval:
    """A period, half open: ``begin`` inclusive, ``end`` exclusive, in microseconds since 1970-01-01T00Z.

    An instant is as long as its precision: ``2001`` a year, ``2001-10-30`` a day, ``2001-10-30T14:24:55Z`` a second;
    with a fraction one microsecond. `FOREVER` and its negative are open ends.
    """

    begin: int
    end: int

    @property
    def is_empty(self) -> bool:
        """Whether the interval contains no time, as a reversed period."""
        return self.end <= self.begin


TimeRelation: TypeAlias = Literal["during", "equals", "before", "after", "latest", "first"]
"""The relation of the time of an observation to the requested time."""


@dataclass(frozen=True)
class EventTime:
    """One requested time.

    Attributes
    ----------
    relation
        Relation of the time of an observation to ``interval``; ``latest`` and ``first`` request the newest and the
        oldest observation of each procedure.
    interval
        In microseconds since 1970 UTC, begin inclusive and end exclusive; None for ``latest`` and ``first``.
    text
        As the client wrote it, for file names.
    """

    relation: TimeRelation
    interval: Interval | None = None
    text: str = ""


@dataclass(frozen=True)
class Duration:
    """A length of time: calendar months, whose length depends on where they start, and microseconds."""

    months: int = 0
    microseconds: int = 0

    def add_to(self, instant: int, sign: int = 1) -> int:
        """Return the instant so much later (``sign`` -1: earlier): months first, by the month's last day at most.

        Raises ValueError if that is outside the years 1 to 9999.
        """
        days, rest = divmod(instant, DAY)
        if self.months:
            start = _civil_date(days)
            month = start.year * 12 + start.month - 1 + sign * self.months
            year = month // 12
            if not 1 <= year <= 9999:
                raise ValueError("the duration leaves the years 1 to 9999")
            days = _days(year, month % 12 + 1, 1) + min(start.day, _month_length(year, month % 12 + 1)) - 1
        result = days * DAY + rest + sign * self.microseconds
        if not EARLIEST <= result < LATEST:
            raise ValueError("the duration leaves the years 1 to 9999")
        return result


def current_time() -> int:
    """Return the current instant in microseconds."""
    return time.time_ns() // 1000


def parse_time(text: str, *, now: int | None = None) -> Interval:
    """Parse an instant into an interval as long as its precision.

    Parameters
    ----------
    text
        Year, year and month, date, week (``2001-W44``, ``2001-W44-2``), ordinal date (``2001-303``), extended or basic;
        a time of day after ``T`` or a space, down to hours, minutes, seconds or a decimal fraction of either; a zone
        ``Z``, ``+02:00``, ``+0200``, ``+02``. A space before the digits of a zone is a ``+`` that a query string lost.
        ``now``. White space around it is ignored.
    now
        The instant of ``now``, None for the clock's.

    Raises
    ------
    ValueError
        Any other string, or a date or time that does not exist.
    """
    text = text.strip(_WHITE)
    if text.lower() == "now":
        moment = current_time() if now is None else now
        return Interval(moment, moment + 1)
    return _parse_instant(text)


def parse_duration(text: str) -> Duration:
    """Parse a duration such as ``P1D``, ``PT6H``, ``P1Y2M``, ``P2W``.

    The last part may have a fraction, except years and months. Raises ValueError for any other string, and for a
    duration longer than ten thousand years.
    """
    match = _DURATION.fullmatch(text.strip(_WHITE))
    if match is None or not any(match.groups()):
        raise ValueError(f"not an ISO 8601 duration: {text!r}")
    months = 12 * int(match["years"] or 0) + int(match["months"] or 0)
    length = sum(
        _scaled(match[name], unit)
        for name, unit in (
            ("weeks", 7 * DAY),
            ("days", DAY),
            ("hours", HOUR),
            ("minutes", MINUTE),
            ("seconds", SECOND),
        )
    )
    if months > 120_000 or length > LATEST - EARLIEST:
        raise ValueError(f"a duration out of range: {text!r}")
    return Duration(months, length)


def parse_period(text: str, now: int | None = None) -> Interval:
    """Parse ``begin/end``, the end included with its precision.

    Either side may be an instant as in `parse_time`, ``now``, or open (empty or ``..``); one may be a duration.
    Beside a date, month or year, which stands for full days, a duration is counted from its begin or back from its
    end: ``2001-10-30/P1D`` and ``P1D/2001-10-30`` are that day. Beside a time of day it is counted from that time, and
    the other end is included: ``2001-10-30T00:00:00Z/PT1H`` is ``2001-10-30T00:00:00Z/2001-10-30T01:00:00Z``.

    A reversed period is an empty interval. Raises ValueError for any other string, including ``/`` alone.
    """
    sides = [side.strip(_WHITE) for side in text.split("/")]
    if len(sides) != 2 or sides == ["", ""]:
        raise ValueError(f"not a period: {text!r}")
    moment = current_time() if now is None else now
    first, last = sides
    if first.startswith("P") and last.startswith("P"):
        raise ValueError(f"a period of two durations: {text!r}")
    if first.startswith("P"):
        end = _closed_end(last, moment)
        duration = parse_duration(first)
        begin = duration.add_to(end.end if end.end - end.begin >= DAY else end.begin, -1)
        return _period(begin, end.end)
    if last.startswith("P"):
        start = _closed_end(first, moment)
        duration = parse_duration(last)
        length = start.end - start.begin
        return _period(start.begin, duration.add_to(start.begin) + (0 if length >= DAY else length))
    begin = -FOREVER if first in ("", "..") else parse_time(first, now=moment).begin
    return _period(begin, FOREVER if last in ("", "..") else parse_time(last, now=moment).end)


def format_instant(instant: int) -> str:
    """Write ``2001-10-30T14:24:55Z``, with a fraction if the instant has one. ValueError outside years 1 to 9999."""
    days, rest = divmod(instant, DAY)
    seconds, fraction = divmod(rest, SECOND)
    tail = f".{fraction:06d}".rstrip("0") if fraction else ""
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}Z"
    return f"{_civil_date(days).isoformat()}T{clock}"


def format_interval(interval: Interval) -> str:
    """Write ``begin/end`` with the last second (the last microsecond if it ends in a fraction); open ends as ``..``.

    `parse_period` reads it back, rounded up to whole seconds where the end shows no fraction.
    """
    begin = ".." if interval.begin <= -FOREVER else format_instant(interval.begin)
    step = 1 if interval.end % SECOND else SECOND
    end = ".." if interval.end >= FOREVER else format_instant(interval.end - step)
    return f"{begin}/{end}"


def _parse_instant(text: str) -> Interval:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 time: {text[:100]!r}")
    first, after = _date_span(match)
    if match["hour"] is None:
        offset = _offset(match["date_zone"])
        interval = Interval(first * DAY - offset, after * DAY - offset)
    elif after - first != 1:
        raise ValueError(f"a time of day without a day: {text!r}")
    else:
        clock, precision = _clock(match)
        begin = first * DAY + clock - _offset(match["zone"])
        interval = Interval(begin, begin + precision)
    if not EARLIEST <= interval.begin < interval.end <= LATEST:
        raise ValueError(f"a time outside the years 1 to 9999: {text!r}")
    return interval


def _date_span(match: re.Match[str]) -> tuple[int, int]:
    year = int(match["year"])
    if not year:
        raise ValueError("the year 0 does not exist")
    if match["week"]:
        # date.fromisocalendar rejects weeks and days that do not exist.
        monday = date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1)).toordinal() - EPOCH
        return monday, monday + (1 if match["weekday"] else 7)
    january = _days(year, 1, 1)
    length = date(year, 12, 31).timetuple().tm_yday
    if match["ordinal"]:
        day_of_year = int(match["ordinal"])
        if not 1 <= day_of_year <= length:
            raise ValueError(f"year {year} has no day {day_of_year}")
        return january + day_of_year - 1, january + day_of_year
    month = match["month"] or match["basic_month"]
    if month is None:
        return january, january + length
    day = match["day"] or match["basic_day"]
    first = _days(year, int(month), int(day or 1))
    return first, first + (1 if day else _month_length(year, int(month)))


def _clock(match: re.Match[str]) -> tuple[int, int]:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    # A leap second counts as the second after it, as in POSIX time.
    if hour > 24 or minute > 59 or second > (60 if minute == 59 else 59):
        raise ValueError("a time of day that does not exist")
    unit = SECOND if match["second"] else MINUTE if match["minute"] else HOUR
    fraction = match["fraction"]
    part = int(fraction) * unit // 10 ** len(fraction) if fraction else 0
    if hour == 24 and (minute or second or part):
        raise ValueError("a time of day after 24:00")
    return hour * HOUR + minute * MINUTE + second * SECOND + part, 1 if fraction else unit


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise ValueError(f"a zone that does not exist: {zone}")
    return (-1 if zone[0] == "-" else 1) * (hours * HOUR + minutes * MINUTE)


def _days(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - EPOCH


def _civil_date(days: int) -> date:
    try:
        return date.fromordinal(days + EPOCH)
    except (ValueError, OverflowError) as error:
        raise ValueError("a date outside the years 1 to 9999") from error


def _month_length(year: int, month: int) -> int:
    return 28 + (month != 2) * 2 + (month in (1, 3, 5, 7, 8, 10, 12)) + (month == 2 and _is_leap(year))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _scaled(number: str | None, unit: int) -> int:
    if number is None:
        return 0
    whole, _, fraction = number.replace(",", ".").partition(".")
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def _closed_end(text: str, now: int) -> Interval:
    if text in ("", ".."):
        raise ValueError("a duration needs an instant on its other side")
    return parse_time(text, now=now)


def _period(begin: int, end: int) -> Interval:
    return Interval(begin, max(begin, end))
