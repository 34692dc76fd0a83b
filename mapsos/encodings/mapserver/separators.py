"""Records of a text block: their separators, and the escapes of these inside values."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.texts import column_bytes
from mapsos.columns.xml_text import escape_text, escape_text_column, without_nulls


class Separators:
    """The token and block separator of a swe:TextBlock, as plain text.

    A separator inside a value is written as percent escapes of its UTF-8 bytes: a comma as ``%2C``, a line feed as
    ``%0A``, ``||`` as ``%7C%7C``. Also escaped are, at the end of a value, a prefix of a separator that would be read
    together with the separator that follows (``@`` before ``@@``), and a carriage return if a separator contains a line
    end. Nothing else changes: a percent sign stays as it is, so that values without separators are those of the data.
    Separators of a single character that is used in percent escapes (``%``, ``0`` to ``9``, ``A`` to ``F``) cannot be
    escaped: clients then cannot tell separators from values.
    """

    def __init__(self, token: str, block: str) -> None:
        separators = [text for text in dict.fromkeys((token, block)) if text]
        # The longer one first: it can contain the shorter one.
        self._inside = sorted(separators, key=len, reverse=True)
        if any(end in text for text in separators for end in "\r\n"):
            self._inside.append("\r")
        self._at_end = [
            text[:length]
            for text in separators
            for length in range(1, len(text))
            if text[length:] == text[: len(text) - length]
        ]

    def protect(self, column: pa.Array) -> pa.Array:
        """Return a large_string column (without nulls) whose texts contain no separator."""
        for text in self._inside:
            if _occurs(text, column):
                column = pc.replace_substring(column, text, _percent(text))
        for text in self._at_end:
            if pc.any(pc.ends_with(column, text)).as_py():
                column = pc.replace_substring_regex(column, f"{re.escape(text)}$", _percent(text))
        return column


class RecordMarkup:
    """The layout of the records of a text block: each after the block separator, which is ``lead`` bytes long."""

    def __init__(self, token: str, block: str) -> None:
        self._separators = Separators(token, block)
        self._token = escape_text(token)
        self._block = escape_text(block)
        self.lead = len(self._block.encode())

    def lay_out(self, columns: Iterable[pa.Array]) -> list[str | pa.Array]:
        """Return the pieces of each record; a null is an empty text, and values are escaped."""
        pieces: list[str | pa.Array] = [self._block]
        for number, column in enumerate(columns):
            if number:
                pieces.append(self._token)
            pieces.append(escape_text_column(self._separators.protect(without_nulls(column))))
        return pieces


def _occurs(text: str, column: pa.Array) -> bool:
    encoded = text.encode()
    if not (column_bytes(column) == encoded[0]).any():
        return False
    return len(encoded) == 1 or bool(pc.any(pc.match_substring(column, text)).as_py())


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
