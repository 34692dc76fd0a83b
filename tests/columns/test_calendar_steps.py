"""Steps of a calendar in time zones, held against the standard library's arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mapsos.columns.calendar_steps import CalendarSteps, number_values
from mapsos.sos.v1.reading.time_zones import find_time_zone
from mapsos.terms.times import format_instant, parse_duration, parse_time

HOUR = 3_600_000_000


def instants(*texts: str) -> np.ndarray:
    return np.array([parse_time(text).begin for text in texts], np.int64)


def cut(step: str, zone: str, *texts: str) -> list[tuple[str, str]]:
    """Begin and end of the step of each instant."""
    numbers, begins, ends = CalendarSteps(parse_duration(step), find_time_zone(zone)).group(instants(*texts))
    return [(format_instant(int(begins[number])), format_instant(int(ends[number]))) for number in numbers]


@pytest.mark.parametrize(
    ("step", "zone", "instant", "begin", "end"),
    [
        ("P1D", "UTC", "2001-05-05T23:59:59Z", "2001-05-05T00:00:00Z", "2001-05-06T00:00:00Z"),
        ("P1D", "+02:00", "2001-05-05T23:00:00Z", "2001-05-05T22:00:00Z", "2001-05-06T22:00:00Z"),
        ("P1D", "-0330", "2001-05-05T03:00:00Z", "2001-05-04T03:30:00Z", "2001-05-05T03:30:00Z"),
        ("P1D", " 02", "2001-05-05T21:00:00Z", "2001-05-04T22:00:00Z", "2001-05-05T22:00:00Z"),
        # Days of 23 and of 25 hours.
        ("P1D", "Europe/Berlin", "2001-03-25T12:00:00Z", "2001-03-24T23:00:00Z", "2001-03-25T22:00:00Z"),
        ("P1D", "Europe/Berlin", "2001-10-28T12:00:00Z", "2001-10-27T22:00:00Z", "2001-10-28T23:00:00Z"),
        # Clocks changed at midnight, forwards and back.
        ("P1D", "America/Sao_Paulo", "2001-10-14T03:00:00Z", "2001-10-14T03:00:00Z", "2001-10-15T02:00:00Z"),
        ("P1D", "America/Sao_Paulo", "2001-02-18T02:30:00Z", "2001-02-17T02:00:00Z", "2001-02-18T03:00:00Z"),
        # The day that Samoa skipped.
        ("P1D", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
        ("P1W", "UTC", "2001-05-06T12:00:00Z", "2001-04-30T00:00:00Z", "2001-05-07T00:00:00Z"),
        ("P7D", "UTC", "2001-05-07T00:00:00Z", "2001-05-07T00:00:00Z", "2001-05-14T00:00:00Z"),
        ("P1M", "UTC", "2004-02-29T12:00:00Z", "2004-02-01T00:00:00Z", "2004-03-01T00:00:00Z"),
        ("P1M", "Europe/Berlin", "2001-03-31T22:30:00Z", "2001-03-31T22:00:00Z", "2001-04-30T22:00:00Z"),
        ("P3M", "UTC", "2001-05-05", "2001-04-01T00:00:00Z", "2001-07-01T00:00:00Z"),
        ("P1Y", "Asia/Kolkata", "2000-12-31T18:30:00Z", "2000-12-31T18:30:00Z", "2001-12-31T18:30:00Z"),
        ("P10Y", "UTC", "1969-12-31T23:59:59Z", "1960-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("PT10M", "UTC", "1969-12-31T23:59:59Z", "1969-12-31T23:50:00Z", "1970-01-01T00:00:00Z"),
        ("PT1H", "Asia/Kolkata", "2001-01-01T00:00:00Z", "2000-12-31T23:30:00Z", "2001-01-01T00:30:00Z"),
        # Both of the hours that are called two o'clock are there.
        ("PT1H", "Europe/Berlin", "2001-10-28T00:30:00Z", "2001-10-28T00:00:00Z", "2001-10-28T01:00:00Z"),
        ("PT1H", "Europe/Berlin", "2001-10-28T01:30:00Z", "2001-10-28T01:00:00Z", "2001-10-28T02:00:00Z"),
        # The last step of a day is cut off at midnight.
        ("PT7H", "UTC", "2001-05-05T22:00:00Z", "2001-05-05T21:00:00Z", "2001-05-06T00:00:00Z"),
        ("PT6H", "Europe/Berlin", "2001-10-28T22:30:00Z", "2001-10-28T22:00:00Z", "2001-10-28T23:00:00Z"),
        ("PT24H", "UTC", "2001-05-05T22:00:00Z", "2001-05-05T00:00:00Z", "2001-05-06T00:00:00Z"),
        ("PT0.5S", "UTC", "2001-05-05T22:00:00.7Z", "2001-05-05T22:00:00.5Z", "2001-05-05T22:00:01Z"),
        ("P1D", "Europe/Berlin", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T23:06:32Z"),
    ],
)
def test_where_a_step_begins_and_ends(step: str, zone: str, instant: str, begin: str, end: str) -> None:
    assert cut(step, zone, instant) == [(begin, end)]


@pytest.mark.parametrize("zone", ["UTC", "+05:45", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("step", ["PT10M", "PT5H", "P1D", "P5D", "P1M", "P1Y"])
def test_steps_are_whole_and_without_gap(step: str, zone: str) -> None:
    times = instants("1999-01-01") + np.random.default_rng(1).integers(0, 3 * 365 * 24 * HOUR, 3000)
    numbers, begins, ends = CalendarSteps(parse_duration(step), find_time_zone(zone)).group(times)
    assert (begins[numbers] <= times).all()
    assert (times < ends[numbers]).all()
    assert (np.diff(begins) > 0).all()
    assert (begins[1:] >= ends[:-1]).all()
    assert set(numbers.tolist()) == set(range(len(begins)))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tehran"])
def test_days_are_those_of_the_standard_library(zone: str) -> None:
    tz = find_time_zone(zone)
    times = np.arange(int(instants("2001-01-01")[0]), int(instants("2002-02-01")[0]), HOUR, np.int64)
    numbers, _, _ = CalendarSteps(parse_duration("P1D"), tz).group(times)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    dates = [(epoch + timedelta(microseconds=time)).astimezone(tz).date() for time in times.tolist()]
    assert [date.toordinal() - dates[0].toordinal() for date in dates] == numbers.tolist()


def test_nothing_at_all() -> None:
    for step in ("PT1H", "P1D", "P1M"):
        for zone in ("UTC", "Europe/Berlin"):
            numbers, begins, ends = CalendarSteps(parse_duration(step), find_time_zone(zone)).group(
                np.empty(0, np.int64)
            )
            assert (len(numbers), len(begins), len(ends)) == (0, 0, 0)


@pytest.mark.parametrize("step", ["P0D", "PT0S", "P1DT1H", "PT25H", "P1M1D", "P1MT1S"])
def test_steps_that_there_are_none_of(step: str) -> None:
    with pytest.raises(ValueError, match="months|day|length|range"):
        CalendarSteps(parse_duration(step), UTC)


@pytest.mark.parametrize(
    "text",
    ["", "Europe", "Nowhere/Land", "../../etc/passwd", "/etc/localtime", "+25:00", "+02:99", "2", "Europe/Berlin\0"],
)
def test_zones_that_there_are_none_of(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        find_time_zone(text)


@pytest.mark.parametrize("values", [[], [5], [3, 3, 1], [-(2**62), 0, 2**62, 0], [10**15, 10**15 + 1]])
def test_numbers_of_values(values: list[int]) -> None:
    distinct, numbers = number_values(np.array(values, np.int64))
    assert distinct.tolist() == sorted(set(values))
    assert distinct[numbers].tolist() == values
