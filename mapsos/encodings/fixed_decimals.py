"""Numbers as text with exactly six decimals, as C's ``%f`` has them, for whole arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LIMIT = 2.0**52 / 1e6
_NEGATIVE, _INNER, _NOTHING = 1000, 2000, 3000


def format_fixed(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    """Each row of ``values`` (rows, columns) as one text: every number followed by its column's ``after``.

    ``after`` are ASCII texts of at most one character. The digits are those of C's ``%f``: exact, ties to even, with
    ``-0.000000`` for a negative number that rounds to nothing. Gives a large_string array. Costs about 50 ns a number;
    numbers of 4.5e9 and more, and what is not finite, make their whole array go through Python.
    """
    import numpy as np

    if not (np.abs(values) < _LIMIT).all():
        return _format_any(values, after)
    millionths = _round_millionths(values)
    whole = millionths // 1_000_000
    fraction = (millionths - whole * 1_000_000).astype(np.intp)
    upper = fraction // 1000
    groups = _count_groups(int(whole.max(initial=0)))
    # Four bytes a word, NUL where a number has no character: sign and digits in groups of three, point, decimals.
    words = np.empty((*values.shape, groups + 2), np.uint32)
    _fill_whole(words, whole, np.signbit(values), groups)
    words[..., -2] = _decimal_words(".", "")[upper]
    for column, end in enumerate(after):
        words[:, column, -1] = _decimal_words("", end)[(fraction - upper * 1000)[:, column]]
    return _compress(words.reshape(len(values), values.shape[1] * (groups + 2)))


def _round_millionths(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Magnitudes times 10**6, rounded exactly to integers, ties to even."""
    import numpy as np

    magnitude = np.abs(values)
    scaled = magnitude * 1e6
    rounded = np.rint(scaled)
    near = np.abs(np.abs(scaled - rounded) - 0.5) <= scaled * 2.0**-52
    if near.any():
        rounded[near] = _round_near_half(magnitude[near], scaled[near])
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


def _count_groups(largest: int) -> int:
    return (len(str(largest)) + 2) // 3


def _fill_whole(
    words: npt.NDArray[np.uint32], whole: npt.NDArray[np.int64], negative: npt.NDArray[np.bool_], groups: int
) -> None:
    """Write sign and integer digits into the first words."""
    import numpy as np

    table = _group_words()
    lead = np.multiply(negative, _NEGATIVE, dtype=np.int64)
    if groups == 1:
        words[..., 0] = table[lead + whole]
        return
    for group in range(groups):
        unit = 1000 ** (groups - 1 - group)
        rest = whole // unit
        index = np.where(rest >= 1000, _INNER, lead) + rest % 1000
        if unit > 1:
            index[rest == 0] = _NOTHING
        words[..., group] = table[index]


def _compress(words: npt.NDArray[np.uint32]) -> pa.Array:
    """The rows of words as texts without their NUL bytes."""
    import numpy as np
    import pyarrow as pa

    used = np.bitwise_count((words.view(np.uint8) != 0).view(np.uint32))
    lengths = np.zeros(len(words), np.int64)
    for column in range(words.shape[1]):
        lengths += used[:, column]
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = words.tobytes().translate(None, b"\0")
    return pa.Array.from_buffers(pa.large_string(), len(words), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _format_any(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    pattern = "".join("%f" + end.replace("%", "%%") for end in after)
    return pa.array([pattern % tuple(row) for row in values.tolist()], pa.large_string())


@lru_cache(maxsize=1)
def _group_words() -> npt.NDArray[np.uint32]:
    texts = [str(n) for n in range(1000)] + [f"-{n}" for n in range(1000)] + [f"{n:03d}" for n in range(1000)] + [""]
    return _to_words(texts)


@lru_cache(maxsize=16)
def _decimal_words(before: str, after: str) -> npt.NDArray[np.uint32]:
    return _to_words([f"{before}{n:03d}{after}" for n in range(1000)])


def _to_words(texts: list[str]) -> npt.NDArray[np.uint32]:
    import numpy as np

    return np.array([text.encode("ascii") for text in texts], "S4").view(np.uint32)
