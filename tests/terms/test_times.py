"""Times: every text form with its interval, and the column parser against the single one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.columns.iso_times import parse_texts
from mapsos.terms.times import (
    DAY,
    FOREVER,
    HOUR,
    MINUTE,
    SECOND,
    Duration,
    Interval,
    format_instant,
    format_interval,
    parse_duration,
    parse_period,
    parse_time,
)

REASON = "[a-z]{2}"
NOW = 1_004_452_195_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


OCTOBER_30 = us("2001-10-30T00:00:00")

INSTANTS = {
    "2001": (us("2001-01-01T00:00:00"), 365 * DAY),
    "2004": (us("2004-01-01T00:00:00"), 366 * DAY),
    "2001-02": (us("2001-02-01T00:00:00"), 28 * DAY),
    "2001-10-30": (OCTOBER_30, DAY),
    "20011030": (OCTOBER_30, DAY),
    "2001-W44": (us("2001-10-29T00:00:00"), 7 * DAY),
    "2001-W44-2": (OCTOBER_30, DAY),
    "2001W442": (OCTOBER_30, DAY),
    "2001-303": (OCTOBER_30, DAY),
    "2001303": (OCTOBER_30, DAY),
    "2001-10-30Z": (OCTOBER_30, DAY),
    "2001-10-30+02:00": (OCTOBER_30 - 2 * HOUR, DAY),
    "2001-10-30T14": (OCTOBER_30 + 14 * HOUR, HOUR),
    "2001-10-30 14:24": (OCTOBER_30 + 14 * HOUR + 24 * MINUTE, MINUTE),
    "2001-10-30T14:24:55": (us("2001-10-30T14:24:55"), SECOND),
    "2001-10-30t14:24:55z": (us("2001-10-30T14:24:55"), SECOND),
    "20011030T142455Z": (us("2001-10-30T14:24:55"), SECOND),
    "2001-303T14:24:55Z": (us("2001-10-30T14:24:55"), SECOND),
    "2001-W44-2T14:24:55Z": (us("2001-10-30T14:24:55"), SECOND),
    "2001-10-30T14:24:55.5Z": (us("2001-10-30T14:24:55") + 500_000, 1),
    "2001-10-30T14:24:55,25": (us("2001-10-30T14:24:55") + 250_000, 1),
    "2001-10-30T14:24.5": (us("2001-10-30T14:24:30"), 1),
    "2001-10-30T14.5Z": (us("2001-10-30T14:30:00"), 1),
    "2001-10-30T14:24:55+02:00": (us("2001-10-30T12:24:55"), SECOND),
    "2001-10-30T14:24:55+0200": (us("2001-10-30T12:24:55"), SECOND),
    "2001-10-30T14:24:55+02": (us("2001-10-30T12:24:55"), SECOND),
    "2001-10-30T14:24:55 02:00": (us("2001-10-30T12:24:55"), SECOND),
    "2001-10-30 14:24:55 0200": (us("2001-10-30T12:24:55"), SECOND),
    "2001-10-30T14:24:55-05:30": (us("2001-10-30T19:54:55"), SECOND),
    "2001-10-30T24:00:00Z": (us("2001-10-31T00:00:00"), SECOND),
    "2001-10-30T24:00": (us("2001-10-31T00:00:00"), MINUTE),
    "2016-12-31T23:59:60Z": (us("2017-01-01T00:00:00"), SECOND),
    " 2001-10-30\n": (OCTOBER_30, DAY),
    "now": (NOW, 1),
    "NOW": (NOW, 1),
}

NO_INSTANTS = [
    "",
    " ",
    "x",
    "0000",
    "0000-01-01",
    "10000",
    "-2001",
    "+2001",
    "200",
    "200110",
    "2001-1",
    "2001-13",
    "2001-00",
    "2001-02-29",
    "2001-10-32",
    "20011301",
    "2001-W53",
    "2001-W00",
    "2001-W44-8",
    "2001-366",
    "2001-000",
    "2001T10:00",
    "2001-10T10:00",
    "2001-W44T10:00",
    "2001-10-30T",
    "2001-10-30T25:00",
    "2001-10-30T24:00:01",
    "2001-10-30T14:60",
    "2001-10-30T14:24:60",
    "2001-10-30T14:24:61",
    "2001-10-30T14:24:55.",
    "2001-10-30T14:24:55+15:00",
    "2001-10-30T14:24:55+02:60",
    "2001-10-30T14:24:55ZZ",
    "2001-10-30T14:24:55Z`",
    "2001-10-30T14:24:55Z` or 1=1 or `[t]` = `2001",
    "2001-10-30T14:24:55Z'",
    "2001-10-30T14:2455",
    "14:24:55",
    "2001/10/30",
    "0001-01-01T00:00:00+02:00",
    "9999-12-31T24:00:00Z",
    "\uff12\uff10\uff10\uff11",
]


@pytest.mark.parametrize(("text", "expected"), INSTANTS.items())
def test_an_instant_is_as_long_as_its_precision(text: str, expected: tuple[int, int]) -> None:
    begin, length = expected
    assert parse_time(text, now=NOW) == Interval(begin, begin + length)


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_any_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=REASON):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P1D", Duration(0, DAY)),
        ("PT6H", Duration(0, 6 * HOUR)),
        ("P1Y2M", Duration(14, 0)),
        ("P2W", Duration(0, 14 * DAY)),
        ("P1M", Duration(1, 0)),
        ("PT1M", Duration(0, MINUTE)),
        ("P1DT1.5H", Duration(0, DAY + 90 * MINUTE)),
        ("PT0,5S", Duration(0, SECOND // 2)),
        ("P0.5D", Duration(0, DAY // 2)),
    ],
)
def test_durations(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1D", "P1H", "PT1D", "P1DT", "P1.5Y", "P1.5DT1H", "-P1D", "P1W1D", "P999999Y"]
)
def test_any_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=REASON):
        parse_duration(text)


def test_months_follow_the_calendar() -> None:
    assert Duration(1).add_to(us("2001-01-31T06:00:00")) == us("2001-02-28T06:00:00")
    assert Duration(1).add_to(us("2004-03-31T06:00:00"), -1) == us("2004-02-29T06:00:00")
    assert Duration(14).add_to(us("2001-11-15T00:00:00")) == us("2003-01-15T00:00:00")
    with pytest.raises(ValueError, match=REASON):
        Duration(12).add_to(us("9999-06-01T00:00:00"))


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2001/2002", us("2001-01-01T00:00:00"), us("2003-01-01T00:00:00")),
        ("2001-10-30/2001-10-30", OCTOBER_30, OCTOBER_30 + DAY),
        ("2001-10-30T14:00:00Z/2001-10-30T15:00:00Z", OCTOBER_30 + 14 * HOUR, OCTOBER_30 + 15 * HOUR + SECOND),
        ("2001-10-30/", OCTOBER_30, FOREVER),
        ("2001-10-30/..", OCTOBER_30, FOREVER),
        ("/2001-10-30", -FOREVER, OCTOBER_30 + DAY),
        ("../..", -FOREVER, FOREVER),
        ("2001-10-30/now", OCTOBER_30, NOW + 1),
        ("PT24H/now", NOW - DAY, NOW + 1),
        ("2001-10-30/P1D", OCTOBER_30, OCTOBER_30 + DAY),
        ("P1D/2001-10-30", OCTOBER_30, OCTOBER_30 + DAY),
        ("P1M/2001-10", us("2001-10-01T00:00:00"), us("2001-11-01T00:00:00")),
        ("2001-10-30T00:00:00Z/PT1H", OCTOBER_30, OCTOBER_30 + HOUR + SECOND),
        ("PT1H/2001-10-30T00:00:00Z", OCTOBER_30 - HOUR, OCTOBER_30 + SECOND),
    ],
)
def test_periods_include_their_end(text: str, begin: int, end: int) -> None:
    assert parse_period(text, NOW) == Interval(begin, end)


def test_a_reversed_period_is_empty() -> None:
    assert parse_period("2002/2001").is_empty
    assert not parse_period("2001/2001").is_empty


@pytest.mark.parametrize("text", ["", "/", "2001", "2001/2002/2003", "P1D/P1D", "P1D/", "/P1D", "2001/x", "9999/P2Y"])
def test_any_other_text_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match=REASON):
        parse_period(text)


def test_instants_are_written_in_utc() -> None:
    assert format_instant(OCTOBER_30 + 14 * HOUR) == "2001-10-30T14:00:00Z"
    assert format_instant(OCTOBER_30 + 1500) == "2001-10-30T00:00:00.0015Z"
    assert format_instant(-SECOND) == "1969-12-31T23:59:59Z"
    with pytest.raises(ValueError, match=REASON):
        format_instant(FOREVER)


@pytest.mark.parametrize("text", ["2001-10-30T00:00:00Z/2001-10-30T23:59:59Z", "../2001-01-01T00:00:00.5Z", "../.."])
def test_written_intervals_read_back(text: str) -> None:
    assert format_interval(parse_period(text)) == text


@given(st.text(max_size=40) | st.text("0123456789-/:TZPWYMDHS+., ", max_size=40))
def test_no_text_gives_anything_but_an_interval_or_a_value_error(text: str) -> None:
    for parse in (parse_time, parse_period, parse_duration):
        try:
            found = parse(text)
        except ValueError:
            continue
        if isinstance(found, Interval):
            assert found.begin <= found.end


COLUMN = [
    *(text for text in INSTANTS if text.lower() != "now"),
    *NO_INSTANTS,
    None,
    "2001-10-30T14:24:55.123456Z",
    "2001-10-30T14:24:55.1234567891234+02:00",
    "1969-12-31 23:59:59.999999",
    "1900-02-28",
    "1900-02-29",
    "2000-02-29T00:00:00-0330",
    "2001-10-30X14:24:55",
    "2001-10-30T14-24-55",
    "2001-10/30",
]


def expected_of(text: str | None) -> tuple[int, int, bool]:
    try:
        if text is None:
            return 0, 0, False
        found = parse_time(text)
    except ValueError:
        return 0, 0, False
    return found.begin, found.end if found.end - found.begin > DAY else found.begin + 1, True


def rows(column: pa.Array) -> list[tuple[int, int, bool]]:
    begin, end, valid = parse_texts(column)
    assert (begin.dtype, end.dtype, valid.dtype) == (np.int64, np.int64, np.bool_)
    return list(zip(begin.tolist(), end.tolist(), valid.tolist(), strict=True))


def test_a_column_says_what_each_text_says() -> None:
    texts = [text for text in COLUMN if text != "2001/10/30"]
    assert rows(pa.array(texts)) == [expected_of(text) for text in texts]


# Such a column is read in another way as long as all of it can be.
@pytest.mark.parametrize("first", ["2001-10-30T14:24:55Z", "2001-10-30 14:24:55.25", "2001-10-30"])
@pytest.mark.parametrize("text", [*COLUMN, "2001-10-30T14:24:55+23:59", "0001-01-01", "0000-01-01", "20011030", None])
def test_a_text_means_the_same_beside_usual_ones(first: str, text: str | None) -> None:
    texts = [first, text, first]
    expected = [expected_of(first), *rows(pa.array([None, text], pa.string()))[1:], expected_of(first)]
    assert rows(pa.array(texts)) == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x", "2001-10-30", None]).slice(1),
        pa.array(["2001-10-30", None], pa.large_string()),
        pa.array(["2001-10-30", None]).dictionary_encode(),
        pa.chunked_array([pa.array(["2001-10-30"]), pa.array([None], pa.string())]),
    ],
)
def test_columns_of_any_layout(column: pa.Array) -> None:
    assert rows(column) == [(OCTOBER_30, OCTOBER_30 + 1, True), (0, 0, False)]


@pytest.mark.parametrize("column", [pa.array([], pa.string()), pa.array([None], pa.null()), pa.array([b"\xff\xfe"])])
def test_columns_without_times(column: pa.Array) -> None:
    assert not any(valid for *_, valid in rows(column))


@pytest.mark.parametrize(
    "text", ["2001/10/30 14:24:55+02", "2001/10/30 14:24:55.000+0200", "2001/10/30 12:24:55", "2001/10/30 12:24:55 00"]
)
def test_a_column_knows_the_form_of_drivers(text: str) -> None:
    begin = us("2001-10-30T12:24:55")
    assert rows(pa.array([text, "2001/10/30"])) == [(begin, begin + 1, True), (OCTOBER_30, OCTOBER_30 + 1, True)]


def test_a_column_does_not_know_now() -> None:
    assert rows(pa.array(["now"])) == [(0, 0, False)]


@given(st.lists(st.datetimes(), min_size=1, max_size=20), st.sampled_from(["", "Z", "+02:00", "-0930", "+14"]))
def test_the_fast_way_agrees_with_the_slow_one(moments: list[datetime], zone: str) -> None:
    texts = [moment.isoformat(sep) + zone for moment in moments for sep in "T "]
    assert rows(pa.array(texts)) == [expected_of(text) for text in texts]


@given(st.lists(st.none() | st.text("0123456789-:TZ+., W", max_size=30), max_size=20))
def test_no_column_gives_an_error(texts: list[str | None]) -> None:
    assert rows(pa.array(texts, pa.string())) == [expected_of(text) for text in texts]
