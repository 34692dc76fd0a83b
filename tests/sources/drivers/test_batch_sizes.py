"""Parts of a bounded number of bytes, and batches gathered from them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from mapsos.sources.drivers.batch_sizes import (
    BATCH_BYTES,
    MOST_ROWS,
    UNKNOWN_ROWS,
    find_part_rows,
    gather_parts,
    rows_within,
)


def make_part(first: int, rows: int, length: int = 1) -> pa.StructArray:
    """Numbers from ``first`` on, with texts of a length."""
    numbers = pa.array(range(first, first + rows))
    return pa.StructArray.from_arrays([numbers, pa.array(["x" * length] * rows)], ["n", "text"])


@pytest.mark.parametrize(("size", "rows", "expected"), [(200_000_000, 1_000_000, 16_384), (2 * 10**9, 4000, 8),
                                                        (10**12, 1, 1), (0, 0, 4 * 2**20)])  # fmt: skip
def test_rows_within_are_a_power_of_two(size: int, rows: int, expected: int) -> None:
    assert rows_within(size, rows) == expected


def test_part_rows_of_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    assert find_part_rows(str(path), lambda: 0) == MOST_ROWS
    with path.open("wb") as file:
        file.truncate(4 * BATCH_BYTES)
    assert find_part_rows(str(path), lambda: -1) == UNKNOWN_ROWS
    assert find_part_rows(str(path), lambda: 16) == 1
    assert find_part_rows("<OGRVRTDataSource/>", lambda: 1) == UNKNOWN_ROWS


def test_parts_are_gathered_in_order() -> None:
    parts = [make_part(512 * index, 512) for index in range(40)]
    batches = list(gather_parts(iter(parts), 16_384, 16_384))
    assert [len(batch) for batch in batches] == [16_384, 40 * 512 - 16_384]
    assert [n for batch in batches for n in batch.field("n").to_pylist()] == list(range(40 * 512))


def test_the_first_batch_is_small_and_each_other_one_twice_as_long() -> None:
    parts = [make_part(index, 1) for index in range(16)]
    assert [len(batch) for batch in gather_parts(iter(parts), 4, 1)] == [1, 2, 4, 4, 4, 1]


def test_batches_of_long_rows_end_with_their_bytes() -> None:
    parts = [make_part(index, 2, BATCH_BYTES // 4) for index in range(5)]
    assert [len(batch) for batch in gather_parts(iter(parts), 1000, 1000)] == [4, 4, 2]


def test_no_batch_is_longer_than_wanted() -> None:
    parts = [make_part(0, 3), make_part(3, 3), make_part(6, 3)]
    assert [len(batch) for batch in gather_parts(iter(parts), 5, 5)] == [3, 3, 3]
