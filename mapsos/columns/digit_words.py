"""Decimal digits for whole arrays: numbers as words of four bytes, three digits each, that become text together.

A byte of a word that stands for no character is NUL. `to_texts` leaves those out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_NEGATIVE, _INNER, _NOTHING = 1000, 2000, 3000


def count_groups(largest: int) -> int:
    """How many words a whole number takes."""
    return (len(str(largest)) + 2) // 3


def fill_whole(
    words: npt.NDArray[np.uint32], whole: npt.NDArray[np.int64], negative: npt.NDArray[np.bool_], groups: int
) -> None:
    """Write the sign and the digits of non-negative integers into the first ``groups`` words of the last axis."""
    import numpy as np

    table = _whole_words()
    lead = np.multiply(negative, _NEGATIVE, dtype=np.int64)
    if groups == 1:
        words[..., 0] = table[lead + whole]
        return
    rest = whole
    for group in reversed(range(groups)):
        above = rest // 1000
        index = rest - above * 1000 + np.where(above > 0, _INNER, lead)
        if group < groups - 1:
            index[rest == 0] = _NOTHING
        words[..., group] = table[index]
        rest = above


def fill_fraction(words: npt.NDArray[np.uint32], fraction: npt.NDArray[np.int64]) -> None:
    """Write the point and ``fraction``, of three decimals a word, without zeros at the end; nothing for 0."""
    import numpy as np

    # 1000 where only zeros follow: the second half of the table lacks the zeros at the end.
    ends = np.full(fraction.shape, 1000, np.intp)
    rest = fraction
    for group in reversed(range(words.shape[-1])):
        above = rest // 1000
        digits = rest - above * 1000
        words[..., group] = _fraction_words("" if group else ".")[digits + ends]
        if group:
            ends[digits != 0] = 0
        rest = above


def to_texts(words: npt.NDArray[np.uint32]) -> pa.Array:
    """The rows of an array (rows, words) as large_string texts without their NUL bytes."""
    import numpy as np
    import pyarrow as pa

    characters = words.view(np.uint8).reshape(-1)
    there = characters != 0
    used = np.bitwise_count(there.view(np.uint32)).reshape(words.shape)
    lengths = np.zeros(len(words), np.int64)
    for column in range(words.shape[1]):
        lengths += used[:, column]
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    bits = pa.py_buffer(np.packbits(there, bitorder="little"))
    kept = pa.array(characters).filter(pa.Array.from_buffers(pa.bool_(), len(there), [None, bits]))
    data = kept.buffers()[1]
    return pa.Array.from_buffers(pa.large_string(), len(words), [None, pa.py_buffer(offsets), data])


@lru_cache(maxsize=16)
def decimal_words(before: str, after: str) -> npt.NDArray[np.uint32]:
    """The words of 0 to 999 with three digits, between texts of one character at most altogether."""
    return _to_words([f"{before}{n:03d}{after}" for n in range(1000)])


@lru_cache(maxsize=2)
def _fraction_words(before: str) -> npt.NDArray[np.uint32]:
    return _to_words(
        [f"{before}{n:03d}" for n in range(1000)] + [f"{before}{n:03d}".rstrip("0") if n else "" for n in range(1000)]
    )


@lru_cache(maxsize=1)
def _whole_words() -> npt.NDArray[np.uint32]:
    """The words of 0 to 999 without leading zeros, of -0 to -999, of 0 to 999 with three digits, and of nothing."""
    texts = [str(n) for n in range(1000)] + [f"-{n}" for n in range(1000)] + [f"{n:03d}" for n in range(1000)] + [""]
    return _to_words(texts)


def _to_words(texts: list[str]) -> npt.NDArray[np.uint32]:
    import numpy as np

    return np.array([text.encode("ascii") for text in texts], "S4").view(np.uint32)
