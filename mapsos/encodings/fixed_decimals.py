"""Numbers as text with exactly six decimals, as C's ``%f`` has them, for whole arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mapsos.column_bytes import column_offsets
from mapsos.digit_words import count_groups, decimal_words, fill_whole, to_texts, whole_words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LIMIT = 2.0**52 / 1e6

_SHORT_LIMIT = 999.9999
"""Up to here a number is a text of twelve characters at most, with what follows it."""

_BLOCK = 1 << 14
"""How many numbers are written at once: what is in between stays within a processor's cache."""

_DECIMALS = 7
"""Characters of the point and the decimals."""


class _ShortTables:
    """What texts of numbers below a thousand are put together from, each row of them followed by ``after``.

    Attributes
    ----------
    ends
        Array (columns,): where the tables of each column begin, in steps of a table; None where all begin at 0.
    heads
        First words of views without their tails: by 0 to 999 and -0 to -999, for one end after the other.
    shifts
        By how many bits a tail is shifted into such a word, by 0 to 999 and -0 to -999.
    upper_decimals
        First halves of tails, by 0 to 999.
    lower_decimals
        Second halves of tails, by 0 to 999, for one end after the other.
    """

    def __init__(self, after: tuple[str, ...]) -> None:
        import numpy as np

        ends = sorted(set(after))
        self.ends = np.array([ends.index(end) for end in after]) if len(ends) > 1 else None
        digits = whole_words()[:2000]
        lengths = np.count_nonzero(digits.view(np.uint8).reshape(-1, 4), axis=1).astype(np.uint64)
        heads = digits.astype(np.uint64) << 32
        self.heads = np.concatenate([heads | (lengths + (_DECIMALS + len(end))) for end in ends])
        self.shifts = lengths * 8 + 32
        self.upper_decimals = decimal_words(".", "").astype(np.uint64)
        lower = np.concatenate([decimal_words("", end) for end in ends])
        self.lower_decimals = lower.astype(np.uint64) << 32


def format_fixed(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    """Each row of ``values`` (rows, columns) as one text: every number followed by its column's ``after``.

    ``after`` are ASCII texts of at most one character. The digits are those of C's ``%f``: exact, ties to even, with
    ``-0.000000`` for a negative number that rounds to nothing. Gives a large_string array. Costs about 40 ns a number
    where all are below a thousand, as degrees are, and three times that up to 4.5e9 (`benchmarks.coordinates`); with
    larger ones, or what is not finite, a block goes through Python.
    """
    import numpy as np
    import pyarrow as pa

    if not len(values):
        return pa.array([], pa.large_string())
    if (short := _format_short(values, after)) is not None:
        return short
    step = max(1, _BLOCK // len(after))
    return pa.concat_arrays([_format_block(block, after) for block in np.split(values, range(step, len(values), step))])


def _format_short(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array | None:
    """Numbers below a thousand, as Arrow's views of at most twelve bytes, which hold their text themselves; else None.

    A view is the length in four bytes and the text in twelve: two words of eight bytes here. The text is the sign and
    the digits before the point, then a tail that is as long in every number of a column.
    """
    import numpy as np
    import pyarrow as pa

    tables = _short_tables(after)
    views = np.empty((*values.shape, 2), np.uint64)
    step = max(1, _BLOCK // len(after))
    for start in range(0, len(values), step):
        if not _fill_views(views[start : start + step], values[start : start + step], tables):
            return None
    written = pa.Array.from_buffers(pa.string_view(), values.size, [None, pa.py_buffer(views)]).cast(pa.large_string())
    offsets = pa.py_buffer(column_offsets(written)[:: len(after)].copy())
    return pa.Array.from_buffers(pa.large_string(), len(values), [None, offsets, written.buffers()[2]])


def _fill_views(views: npt.NDArray[np.uint64], values: npt.NDArray[np.float64], tables: _ShortTables) -> bool:
    """Fill the views of some numbers: True, or False where one is too large."""
    import numpy as np

    magnitude = np.abs(values, order="C")
    largest = magnitude.max()
    # Written so that NaN is too large.
    if not largest < _SHORT_LIMIT:
        return False
    fraction = _round_millionths(magnitude, largest)
    whole = fraction // 1_000_000
    fraction -= whole * 1_000_000
    whole += np.multiply(np.signbit(values), 1000, dtype=np.int64)
    upper = fraction // 1000
    fraction -= upper * 1000
    shift = tables.shifts.take(whole, mode="wrap")
    if tables.ends is not None:
        whole += tables.ends * 2000
        fraction += tables.ends * 1000
    head = tables.heads.take(whole, mode="wrap")
    tail = tables.upper_decimals.take(upper, mode="wrap")
    tail |= tables.lower_decimals.take(fraction, mode="wrap")
    head |= tail << shift
    views[..., 0] = head
    views[..., 1] = tail >> (64 - shift)
    return True


@lru_cache(maxsize=16)
def _short_tables(after: tuple[str, ...]) -> _ShortTables:
    return _ShortTables(after)


def _format_block(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    import numpy as np

    magnitude = np.abs(values, order="C")
    largest = magnitude.max()
    if not largest < _LIMIT:
        return _format_any(values, after)
    millionths = _round_millionths(magnitude, largest)
    whole = millionths // 1_000_000
    fraction = millionths - whole * 1_000_000
    upper = fraction // 1000
    lower = fraction - upper * 1000
    groups = count_groups(int(whole.max()))
    words = np.empty((*values.shape, groups + 2), np.uint32)
    fill_whole(words, whole, np.signbit(values), groups)
    words[..., -2] = decimal_words(".", "")[upper]
    ends = sorted(set(after))
    if len(ends) > 1:
        lower += [1000 * ends.index(end) for end in after]
    words[..., -1] = np.concatenate([decimal_words("", end) for end in ends])[lower]
    return to_texts(words.reshape(len(values), values.shape[1] * (groups + 2)))


def _round_millionths(magnitude: npt.NDArray[np.float64], largest: float) -> npt.NDArray[np.int64]:
    """Magnitudes, C-contiguous, of which ``largest`` is one, times 10**6: rounded exactly to integers, ties to even."""
    import numpy as np

    scaled = magnitude * 1e6
    rounded = np.rint(scaled)
    off = scaled - rounded
    # Nearer to a tie than the product can be wrong by: more than those numbers do no harm.
    near = np.flatnonzero(np.abs(off, out=off) >= 0.5 - largest * 1e6 * 2.0**-52)
    if len(near):
        rounded.reshape(-1)[near] = _round_near_half(magnitude.reshape(-1)[near], scaled.reshape(-1)[near])
    return rounded.astype(np.int64)


def _round_near_half(magnitude: npt.NDArray[np.float64], scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round where the rounding error of the product ``scaled`` itself decides."""
    import numpy as np

    # The error, exactly (Dekker's product); 1e6 is short enough to need no splitting.
    split = magnitude * 134217729.0
    high = split - (split - magnitude)
    error = (high * 1e6 - scaled) + (magnitude - high) * 1e6
    floor = np.floor(scaled)
    half = ((scaled - floor) - 0.5) + error
    rounded: npt.NDArray[np.float64] = floor + ((half > 0) | ((half == 0) & (floor % 2 == 1)))
    return rounded


def _format_any(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    pattern = "".join("%f" + end.replace("%", "%%") for end in after)
    return pa.array([pattern % tuple(row) for row in values.tolist()], pa.large_string())
