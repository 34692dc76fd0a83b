"""Columns of texts as the O&M schemas require them: numbers as xsd:double, and distinct texts rewritten."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.texts import column_bytes
from mapsos.columns.xml_text import escape_attribute_column, without_nulls

_NUMBER = r"^\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$"
_SPECIAL = (("NaN", r"(?i)^[-+]?nan$"), ("-INF", r"(?i)^-inf(inity)?$"), ("INF", r"(?i)^\+?inf(inity)?$"))


def map_texts(column: pa.Array, write: Callable[[str], str]) -> pa.Array:
    """Return the texts of a column, rewritten by a function and escaped for an attribute.

    The function is called once for each distinct text.
    """
    encoded = without_nulls(column).dictionary_encode()
    written = pa.array([write(text) for text in encoded.dictionary.to_pylist()], pa.large_string())
    return escape_attribute_column(written).take(encoded.indices)


def fit_numbers(column: pa.Array, *, loose: bool) -> pa.Array:
    """Return texts of numbers as xsd:double; a text that is not a number becomes empty.

    Texts of a typed column cost one scan of their bytes; ``loose`` texts, or unusual bytes, cost a regular expression.
    """
    column = without_nulls(column)
    if not loose and not column_bytes(column).tobytes().translate(None, b"0123456789+-.eE"):
        return column
    fits = pc.match_substring_regex(column, _NUMBER)
    for name, pattern in _SPECIAL:
        special = pc.match_substring_regex(column, pattern)
        if pc.any(special).as_py():
            column = pc.if_else(special, name, column)
            fits = pc.or_(fits, special)
    return pc.if_else(fits, column, pa.scalar("", pa.large_string()))
