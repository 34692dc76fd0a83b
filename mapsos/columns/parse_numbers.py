"""Numbers in strings, and days in numbers, a whole Arrow column or array at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapsos.terms.predicates import DECIMAL
from mapsos.terms.times import DAY

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_NUMBER = f"^{DECIMAL}$"


def parse_numbers(texts: pa.Array) -> pa.Array:
    """Convert large_string to float64, null where a string, without white space around it, is not a decimal number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.ascii_trim_whitespace(texts)
    good = pc.match_substring_regex(trimmed, _NUMBER)
    plain = pc.if_else(good, pc.ascii_ltrim(trimmed, "+"), pa.scalar(None, pa.large_string()))
    return plain.cast(pa.float64())


def parse_integers(texts: pa.Array) -> pa.Array:
    """Convert large_string to int64 without loss, null for a string that is not an integer: ``7``, ``7.0``, ``7e3``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.ascii_trim_whitespace(texts)
    whole = pc.match_substring_regex(trimmed, r"^[+-]?[0-9]{1,18}$")
    plain = pc.if_else(whole, pc.ascii_ltrim(trimmed, "+"), pa.scalar(None, pa.large_string())).cast(pa.int64())
    if pc.all(pc.fill_null(whole, True)).as_py():
        return plain
    numbers = parse_numbers(texts)
    exact = pc.and_(pc.less(pc.abs(numbers), 2.0**63), pc.equal(pc.trunc(numbers), numbers))
    near = pc.if_else(exact, numbers, pa.scalar(None, pa.float64()))
    return pc.coalesce(plain, near.cast(pa.int64(), safe=False))


def calendar_days(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the midnights of numbers YYYYMMDD (microseconds since 1970 UTC), and whether the calendar has that day."""
    import numpy as np

    year, month, day = numbers // 10_000, numbers // 100 % 100, numbers % 100
    possible = (month >= 1) & (month <= 12) & (day >= 1)
    months = ((year - 1970) * 12 + np.where(possible, month, 1) - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - first
    return (first + day - 1) * DAY, possible & (day <= length)
