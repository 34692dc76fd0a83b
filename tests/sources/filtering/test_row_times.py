"""Columns of every kind as times, and the ranges of text that hold them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.columns.batches import ColumnKind
from mapsos.columns.iso_times import parse_texts
from mapsos.sources.filtering.row_times import number_times
from mapsos.sources.filtering.sql import Dialect, is_plain_text, quote_identifier, quote_text, write_number
from mapsos.sources.filtering.time_ranges import widen, write_time_ranges
from mapsos.terms.times import parse_time


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2001, ("2001-01-01T00:00:00Z", "2002-01-01T00:00:00Z")),
        (20011030, ("2001-10-30T00:00:00Z", None)),
        (20011032, ("1970-08-20T14:37:12Z", None)),
        (20010229, ("1970-08-20T14:23:49Z", None)),
        (20000229, ("2000-02-29T00:00:00Z", None)),
        (1004451895, ("2001-10-30T14:24:55Z", None)),
        (0, ("1970-01-01T00:00:00Z", None)),
        (-1, ("1969-12-31T23:59:59Z", None)),
    ],
)
def test_numbers_as_times(number: int, expected: tuple[str, str | None]) -> None:
    first = parse_time(expected[0]).begin
    last = first + 1 if expected[1] is None else parse_time(expected[1]).begin
    for column in (pa.array([number]), pa.array([float(number)])):
        begin, end, valid = number_times(column)
        assert (begin[0], end[0], bool(valid[0])) == (first, last, True)


def test_numbers_that_are_no_times() -> None:
    assert number_times(pa.array([None, 1e300, float("nan"), float("inf")]))[2].tolist() == [False] * 4
    assert number_times(pa.array([1.5]))[0].tolist() == [1_500_000]


def forms(instant: datetime) -> list[object]:
    day = instant.date()
    year, week, weekday = day.isocalendar()
    ordinal = day.timetuple().tm_yday
    clock = instant.strftime("T%H:%M:%S")
    return [
        f"{day:%Y-%m-%d}", f"{day:%Y-%m-%d}{clock}Z", f"{day:%Y-%m-%d}{clock}+14:00", f"{day:%Y-%m-%d}{clock}-14:00",
        f"{day:%Y-%m-%d} {instant:%H:%M}", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f" {day:%Y-%m-%d}", f"{day:%Y-%m}",
        f"{day:%Y}", f"{day:%Y}-{ordinal:03d}", f"{day:%Y}{ordinal:03d}", f"{year}-W{week:02d}-{weekday}",
        f"{year}W{week:02d}", f"{year}-w{week:02d}", f"{day:%Y-%m-%d}{clock.lower()}.25z", f"{day:%Y-%m-%d}Z",
        f"{day:%Y}-{ordinal:03d}{clock}Z", int(f"{day:%Y%m%d}"), f"{day:%Y-%m}Z", f"{day:%Y}Z",
    ]  # fmt: skip


@given(
    st.datetimes(datetime(1200, 1, 1), datetime(2900, 1, 1)),
    st.integers(0, 800),
    st.lists(st.integers(-900, 900), min_size=1, max_size=4),
    st.sampled_from(["during", "before", "after"]),
    st.sampled_from(["TEXT", "DATETIME", "TEXT COLLATE NOCASE"]),
)
def test_a_range_holds_every_form_of_time(
    start: datetime, length: int, offsets: list[int], relation: str, declared: str
) -> None:
    begin = int((start.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    end = begin + length * 86_400_000_000
    span = {
        "during": widen(begin, end),
        "before": widen(None, begin),
        "after": widen(end, None),
    }[relation]
    condition = write_time_ranges('"t"', ColumnKind.TEXT, Dialect.SQLITE, [span])
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE times (t {declared})")
    values = [form for offset in [*offsets, 0, length] for form in forms(start + timedelta(days=offset))]
    database.executemany("INSERT INTO times VALUES (?)", [(value,) for value in values])
    stored = [row[0] for row in database.execute("SELECT CAST(t AS TEXT) FROM times")]
    found = {row[0] for row in database.execute(f"SELECT CAST(t AS TEXT) FROM times WHERE {condition or 1}")}
    first, last, valid = parse_texts(pa.array(stored))
    admitted = {
        "during": (first >= begin) & (last <= end),
        "before": last <= begin,
        "after": first >= end,
    }[relation] & valid
    database.close()
    assert {text for text, wanted in zip(stored, admitted, strict=True) if wanted} - found == set()


def test_a_range_is_no_wider_than_it_must_be() -> None:
    day = parse_time("2001-10-30")
    condition = write_time_ranges('"t"', ColumnKind.TEXT, Dialect.SQLITE, [widen(day.begin, day.end)])
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE times (t TEXT)")
    database.executemany(
        "INSERT INTO times VALUES (?)", [((date(2001, 1, 1) + timedelta(number)).isoformat(),) for number in range(365)]
    )
    (count,) = database.execute(f"SELECT count(*) FROM times WHERE {condition}").fetchone()
    database.close()
    assert 1 <= count <= 7


@given(st.text())
def test_a_constant_is_the_text_and_nothing_else(text: str) -> None:
    if not is_plain_text(text, Dialect.SQLITE) or any("\ud800" <= character <= "\udfff" for character in text):
        return
    database = sqlite3.connect(":memory:")
    assert database.execute(f"SELECT {quote_text(text, Dialect.SQLITE)}").fetchone() == (text,)
    database.close()


@pytest.mark.parametrize("text", ["a\0b", "a\\", "\ufffd", "x" * 2000])
def test_texts_that_are_no_constants(text: str) -> None:
    with pytest.raises(ValueError, match="constant"):
        quote_text(text, Dialect.SQLITE)


def test_identifiers_and_numbers() -> None:
    assert quote_identifier('a"b', Dialect.SQLITE) == '"a""b"'
    with pytest.raises(ValueError, match="identifier"):
        quote_identifier('a"b', Dialect.OGR)
    assert write_number(0.1) == "0.1"
    with pytest.raises(ValueError, match="finite"):
        write_number(float("nan"))
