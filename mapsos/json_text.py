"""Text for JSON documents: the one place where texts are quoted, one at a time or a column at once (RFC 8259)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mapsos.xml_text import column_bytes

if TYPE_CHECKING:
    import pyarrow as pa


def quote_json(text: str | None) -> str:
    """A text as a JSON string with its quotes, None as ``null``."""
    return json.dumps(text, ensure_ascii=False)


def quote_json_column(column: pa.Array) -> pa.Array:
    """Each text of a column as a JSON string with its quotes, nulls as ``null``: large_string without nulls.

    Costs a look at the bytes, and a pass for each character that needs an escape.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.large_string())
    for character in _find_special(column):
        column = pc.replace_substring(column, character, json.dumps(character)[1:-1])
    quote = pa.scalar('"', pa.large_string())
    quoted = pc.binary_join_element_wise(quote, column, quote, pa.scalar("", pa.large_string()))
    return pc.fill_null(quoted, "null") if quoted.null_count else quoted


def number_json_column(column: pa.Array) -> pa.Array:
    """Each number of a column (integers or doubles) as JSON, as `value_texts` writes numbers.

    Nulls, infinities and what is no number are ``null``, since JSON has no other word for them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from mapsos.value_texts import real_texts

    if pa.types.is_floating(column.type):
        finite = pc.fill_null(pc.is_finite(column), False)
        texts = real_texts(pc.if_else(finite, column, pa.scalar(None, column.type)))
    else:
        texts = column.cast(pa.large_string())
    return pc.fill_null(texts, "null")


def _find_special(column: pa.Array) -> list[str]:
    """The characters in a column that JSON wants escaped, the backslash first."""
    data = column_bytes(column)
    if not data.size:
        return []
    found = {int(byte) for byte in data[data < 0x20]} if data.min() < 0x20 else set()
    text = data.tobytes()
    return [character for character in ("\\", '"') if character.encode() in text] + [
        chr(byte) for byte in sorted(found)
    ]
