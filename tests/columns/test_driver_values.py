"""Columns are converted whatever Arrow type a driver delivers: no declared type can make an error."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest

from mapsos.columns.driver_values import typed_values, written_values
from mapsos.terms.columns import ColumnKind

TYPES = {
    ColumnKind.TEXT: pa.large_string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.REAL: pa.float64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.DATE: pa.date32(),
    ColumnKind.TIME: pa.time64("us"),
    ColumnKind.DATETIME: pa.timestamp("us", "UTC"),
    ColumnKind.LIST: pa.large_string(),
    ColumnKind.BINARY: pa.large_binary(),
}
DELIVERED = [
    pa.array(["1.5", "abc", "", "2024-03-01", "12:00:00", None]),
    pa.array(["7"], pa.large_string()),
    pa.array([b"\xff\x00", b"1", None]),
    pa.array([b"2"], pa.large_binary()),
    pa.array([1, 2, None], pa.int32()),
    pa.array([2**62, -1], pa.int64()),
    pa.array([1.5, None], pa.float32()),
    pa.array([1e300, float("nan"), float("-inf"), 2.5]),
    pa.array([True, None]),
    pa.array([date(2024, 3, 1), None]),
    pa.array([date(2024, 3, 1)], pa.date64()),
    pa.array([time(23, 59, 59, 999600)]),
    pa.array([time(1, 2, 3)], pa.time32("ms")),
    pa.array([datetime(2024, 3, 1, 6), None], pa.timestamp("ms")),
    pa.array([datetime(2024, 3, 1, 6, tzinfo=UTC)], pa.timestamp("ns", "Europe/Berlin")),
    pa.array([[1, 2], None]),
    pa.array([["a"], []]),
    pa.array([{"a": 1}, None]),
    pa.array([Decimal("1.50"), None]),
    pa.nulls(2),
]


@pytest.mark.parametrize("kind", ColumnKind)
@pytest.mark.parametrize("raw", DELIVERED, ids=lambda raw: str(raw.type))
def test_every_type_becomes_every_kind(raw: pa.Array, kind: ColumnKind) -> None:
    values = typed_values(raw, kind, None)
    assert values.type == TYPES[kind]
    assert len(values) == len(raw)
    values.validate(full=True)
    texts = written_values(raw, kind, None, None)
    assert texts.type == pa.large_string()
    assert len(texts) == len(raw)


def test_a_string_column_that_delivers_numbers_has_their_texts() -> None:
    assert typed_values(pa.array([3.0, None, 2.25]), ColumnKind.TEXT, None).to_pylist() == ["3", None, "2.25"]


def test_times_of_day_in_strings_are_read() -> None:
    clock = pa.array(["23:59:59.5", "06:07:08", "24:00:00", "6:00", None, "12:00:00.123456"])
    assert typed_values(clock, ColumnKind.TIME, None).to_pylist() == [
        time(23, 59, 59, 500000),
        time(6, 7, 8),
        None,
        None,
        None,
        time(12, 0, 0, 123456),
    ]


def test_a_time_of_day_of_24_hours_is_none() -> None:
    rounded = pa.array([86_399_999, 86_400_000, None], pa.int32()).cast(pa.time32("ms"))
    assert written_values(rounded, ColumnKind.TIME, None, None).to_pylist() == ["23:59:59", None, None]
