"""Numbers as text with exactly six decimals, as C's ``%f`` has them, for whole arrays."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from mapsos.columns.digit_words import count_groups, decimal_words, fill_whole, to_texts
from mapsos.columns.loops import find_text_loops, make_texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LIMIT = 2.0**52 / 1e6

_BLOCK = 1 << 14
"""How many numbers are written at once: what is in between stays within a processor's cache."""

_LONGEST = 19
"""Characters of a number below the limit, and one after it."""


def format_fixed(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    """Each row of ``values`` (rows, columns) as one text: every number followed by its column's ``after``.

    ``after`` are ASCII texts of at most one character. The digits are those of C's ``%f``: exact, ties to even, with
    ``-0.000000`` for a negative number that rounds to nothing. Gives a large_string array. Costs 10 to 16 ns a number
    with the compiled loops and 60 to 110 without them (`benchmarks.coordinates`); with numbers of 4.5e9 or more, or
    what is not finite, a block goes through Python.
    """
    import numpy as np
    import pyarrow as pa

    if not len(values):
        return pa.array([], pa.large_string())
    loops = find_text_loops()
    if loops is not None and (texts := _format_compiled(loops, values, after)) is not None:
        return texts
    step = max(1, _BLOCK // len(after))
    return pa.concat_arrays([_format_block(block, after) for block in np.split(values, range(step, len(values), step))])


def _format_compiled(loops: ModuleType, values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array | None:
    """The texts if no number is beyond the limit, else None."""
    import numpy as np

    follow = "".join(end or "\0" for end in after).encode("ascii")
    buffer = np.ascontiguousarray(values).data
    return make_texts(len(values), values.size * _LONGEST, partial(loops.format_fixed, buffer, follow))


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
