"""Numbers as text with exactly six decimals, as C's ``%f`` has them, for whole arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.digit_words import count_groups, decimal_words, fill_whole, to_texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LIMIT = 2.0**52 / 1e6


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
    groups = count_groups(int(whole.max(initial=0)))
    words = np.empty((*values.shape, groups + 2), np.uint32)
    fill_whole(words, whole, np.signbit(values), groups)
    words[..., -2] = decimal_words(".", "")[upper]
    for column, end in enumerate(after):
        words[:, column, -1] = decimal_words("", end)[(fraction - upper * 1000)[:, column]]
    return to_texts(words.reshape(len(values), values.shape[1] * (groups + 2)))


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


def _format_any(values: npt.NDArray[np.float64], after: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    pattern = "".join("%f" + end.replace("%", "%%") for end in after)
    return pa.array([pattern % tuple(row) for row in values.tolist()], pa.large_string())
