from __future__ import annotations

import json

import pyarrow as pa
import pytest

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.tables.json_texts import json_cells

HARD = [
    "",
    "plain",
    'quote " and \\ backslash',
    "".join(map(chr, range(0x20))),
    "ünï \u2028 \U0001f600",
    "\x7f",
    "\\n",
    None,
]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (ColumnKind.TEXT, pa.array(HARD, pa.large_string()), HARD),
        (ColumnKind.INTEGER, pa.array([1, -(2**63), 2**53 + 1, None], pa.int64()), [1, -(2**63), 2**53 + 1, None]),
        (
            ColumnKind.REAL,
            pa.array([0.1, 1e300, 1e-7, -0.0, 5.0, float("nan"), float("inf"), None, 1 / 3]),
            [0.1, 1e300, 1e-7, -0.0, 5.0, None, None, None, 1 / 3],
        ),
        (ColumnKind.BOOLEAN, pa.array([True, False, None]), [True, False, None]),
        (ColumnKind.DATE, pa.array([0, None], pa.int32()).cast(pa.date32()), ["1970-01-01", None]),
        (ColumnKind.TIME, pa.array([1_500_000, 0], pa.int64()).cast(pa.time64("us")), ["00:00:01.500000", "00:00:00"]),
        (
            ColumnKind.DATETIME,
            pa.array([0, 1, None], pa.int64()).cast(pa.timestamp("us", "UTC")),
            ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z", None],
        ),
        (ColumnKind.BINARY, pa.array([b"\x01\xff", None], pa.large_binary()), ["01FF", None]),
    ],
)
def test_values_are_read_back(kind: ColumnKind, values: pa.Array, expected: list[object]) -> None:
    cells = json_cells(values, kind)
    assert [json.loads(cell) for cell in cells.to_pylist()] == expected
    assert [json.loads(cell) for cell in json_cells(values.slice(1), kind).to_pylist()] == expected[1:]
