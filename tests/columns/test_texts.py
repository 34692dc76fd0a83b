"""Bytes and offsets of columns, whatever Arrow type they have and wherever they begin in their buffers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from mapsos.columns.texts import column_bytes, column_offsets


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
def test_a_part_of_a_column(kind: pa.DataType) -> None:
    part = pa.array([b"<", b"ab", b"", b"c", b">"]).cast(kind).slice(1, 3)
    assert column_bytes(part).tobytes() == b"abc"
    assert column_offsets(part).tolist() == [1, 3, 3, 4]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
def test_columns_without_any(kind: pa.DataType) -> None:
    for values in ([], [b"", b""]):
        assert column_bytes(pa.array(values, pa.binary()).cast(kind)).tobytes() == b""
