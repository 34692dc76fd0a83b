"""The compiled loops by themselves: what they write, and that they refuse what would lead them out of their buffers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.columns import _loops

Piece = bytes | tuple[bytes, bytes]


def offsets(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}q", *numbers)


def join(first: int, last: int, pieces: Sequence[Piece], room: int = 100) -> tuple[bytes, list[int]]:
    out, ends = bytearray(room), bytearray(b"\xff" * 8 * (last - first + 1))
    written = _loops.join_texts(first, last, tuple(pieces), out, ends)
    assert out[written:] == bytes(room - written)
    assert _loops.join_texts(first, last, tuple(pieces), out, None) == written
    return bytes(out[:written]), np.frombuffer(ends, np.int64).tolist()


COLUMN = (offsets(0, 1, 1, 4), b"abcd")


@pytest.mark.parametrize(
    ("first", "last", "pieces", "text", "ends"),
    [
        (0, 3, [COLUMN], b"abcd", [0, 1, 1, 4]),
        (0, 3, [b"<", COLUMN, b">"], b"<a><><bcd>", [0, 3, 5, 10]),
        (1, 3, [b"<", COLUMN, b">"], b"<><bcd>", [0, 2, 7]),
        (1, 3, [COLUMN, (offsets(0, 2, 5, 5), b"12345")], b"345bcd", [0, 3, 6]),
        (0, 2, [b"ab"], b"abab", [0, 2, 4]),
        (0, 2, [], b"", [0, 0, 0]),
        (3, 3, [COLUMN], b"", [0]),
        (0, 1, [(offsets(2, 4), b"abcd")], b"cd", [0, 2]),
    ],
)
def test_pieces_joined(first: int, last: int, pieces: list[Piece], text: bytes, ends: list[int]) -> None:
    assert join(first, last, pieces) == (text, ends)


@given(st.lists(st.lists(st.binary(max_size=9), min_size=3, max_size=3), max_size=5))
def test_any_pieces(columns: list[list[bytes]]) -> None:
    pieces: list[Piece] = []
    for column in columns:
        pieces += [(offsets(*np.cumsum([0, *map(len, column)]).tolist()), b"".join(column)), b"|"]
    text = b"".join(column[row] + b"|" for row in range(3) for column in columns)
    assert join(0, 3, pieces, 500)[0] == text


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(offsets(0, 5), b"abcd")], id="beyond the data"),
        pytest.param([(offsets(-1, 2), b"abcd")], id="before the data"),
        pytest.param([(offsets(3, 2), b"abcd")], id="backwards"),
        pytest.param([(offsets(-(2**63), 2**63 - 1), b"abcd")], id="as far as can be"),
        pytest.param([(offsets(0), b"abcd")], id="too few offsets"),
        pytest.param([(offsets(0, 1)[:-1], b"abcd")], id="half an offset"),
        pytest.param([(offsets(0, 1),)], id="no data"),
        pytest.param([b"x" * 101], id="a constant without room"),
        pytest.param([b"x" * 100, (offsets(0, 1), b"a")], id="a column without room"),
    ],
)
def test_pieces_refused(pieces: list[Piece]) -> None:
    with pytest.raises(ValueError, match=r"offsets|room"):
        join(0, 1, pieces)


@pytest.mark.parametrize(("first", "last"), [(-1, 1), (1, 0), (0, 2), (0, 2**62), (2**62, 2**62)])
def test_rows_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="rows|offsets"):
        _loops.join_texts(first, last, ((offsets(0, 1), b"a"),), bytearray(9), None)


def test_ends_of_another_size_are_refused() -> None:
    for size in (8, 15, 24):
        with pytest.raises(ValueError, match="ends has another size"):
            _loops.join_texts(0, 1, (b"a",), bytearray(1), bytearray(size))


def test_buffers_are_given_back() -> None:
    """Also those of pieces before the one that is refused."""
    buffers = [bytearray(offsets(0, 1)), bytearray(b"a"), bytearray(9), bytearray(16)]
    for last in ((b"x",), (offsets(0, 9), b"a"), (buffers[2], b"a"), (buffers[3], 1)):
        with pytest.raises((ValueError, TypeError)):
            _loops.join_texts(0, 1, ((buffers[0], buffers[1]), buffers[1], last), buffers[2], buffers[3])
    _loops.join_texts(0, 1, ((buffers[0], buffers[1]),), buffers[2], buffers[3])
    with pytest.raises(ValueError, match="fit"):
        _loops.format_reals(buffers[0], buffers[2], buffers[3])
    with pytest.raises(ValueError, match="fit"):
        _loops.format_fixed(buffers[0], buffers[1], buffers[2], buffers[3])
    for buffer in buffers:
        # BufferError while somebody still has it.
        buffer.append(0)


Call = Callable[[], object]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: _loops.join_texts(0, 1, (1,), bytearray(1), None), id="a piece"),  # type: ignore
        pytest.param(lambda: _loops.join_texts(0, 1, ((b"", 1),), bytearray(1), None), id="data"),  # type: ignore
        pytest.param(lambda: _loops.join_texts(0, 1, [b"a"], bytearray(1), None), id="a list"),  # type: ignore
        pytest.param(lambda: _loops.join_texts(0, 1, (b"a",), b"a", None), id="constant out"),
        pytest.param(lambda: _loops.join_texts(0, 1, (b"a",), bytearray(1), b""), id="constant ends"),
        pytest.param(lambda: _loops.format_reals(1.5, bytearray(24), bytearray(16)), id="a number"),  # type: ignore
        pytest.param(lambda: _loops.format_fixed(b"", "", bytearray(), bytearray(8)), id="after"),  # type: ignore
    ],
)
def test_what_is_no_such_buffer_is_refused(call: Call) -> None:
    with pytest.raises((TypeError, BufferError, ValueError)):
        call()


@pytest.mark.parametrize(
    ("values", "out", "ends"), [(16, 47, 24), (16, 48, 23), (16, 48, 32), (15, 48, 16), (0, 0, 0), (8, 23, 16)]
)
def test_sizes_of_reals_refused(values: int, out: int, ends: int) -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        _loops.format_reals(bytes(values), bytearray(out), bytearray(ends))


@pytest.mark.parametrize(
    ("values", "after", "out", "ends"),
    [
        (16, b",,", 37, 16),
        (16, b",,", 38, 15),
        (16, b",,", 38, 24),
        (8, b",,", 38, 16),
        (15, b",", 38, 16),
        (16, b"", 38, 24),
    ],
)
def test_sizes_of_fixed_decimals_refused(values: int, after: bytes, out: int, ends: int) -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        _loops.format_fixed(bytes(values), after, bytearray(out), bytearray(ends))


@pytest.mark.parametrize(
    ("number", "reals", "fixed"),
    [
        (float("nan"), False, False),
        (float("-inf"), False, False),
        (1e10, False, False),
        (9999999999.0, True, False),
        (4503599627.370496, True, False),
        (4503599627.370495, True, True),
        (1e-4, True, True),
        (9.9e-5, False, True),
        (5e-324, False, True),
        (-0.0, True, True),
    ],
)
def test_numbers_that_are_left_to_python(number: float, reals: bool, fixed: bool) -> None:
    values = struct.pack("dd", 1.5, number)
    reals_ends, fixed_ends = bytearray(b"\xff" * 24), bytearray(b"\xff" * 24)
    assert (_loops.format_reals(values, bytearray(48), reals_ends) >= 0) == reals
    assert (_loops.format_fixed(values, b"\0", bytearray(38), fixed_ends) >= 0) == fixed
    assert reals_ends[:16] == offsets(0, 3)
    assert fixed_ends[:16] == offsets(0, 8)


@given(st.lists(st.floats(-1e10, 1e10, exclude_max=True, exclude_min=True).filter(lambda x: not 0 < abs(x) < 1e-4)))
def test_no_byte_is_written_beyond_the_room(numbers: list[float]) -> None:
    """The longest texts have exactly as much room as they say they need."""
    for values in (numbers, [-0.000123456789012345, -4503599627.370495]):
        out, ends = bytearray(24 * len(values) + 8), bytearray(8 * len(values) + 8)
        room = memoryview(out)[: 24 * len(values)]
        packed = struct.pack(f"{len(values)}d", *values)
        _loops.format_reals(packed, room, ends)
        assert out[24 * len(values) :] == bytes(8)
        out = bytearray(19 * len(values) + 8)
        _loops.format_fixed(packed, b",", memoryview(out)[: 19 * len(values)], ends)
        assert out[19 * len(values) :] == bytes(8)
