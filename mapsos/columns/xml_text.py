"""Strings for XML documents: escape values, one at a time or a column at once.

Characters that XML 1.0 cannot contain (control characters except tab and line ends, U+FFFE, U+FFFF, lone surrogates)
become U+FFFD, so that a reader sees that a character is missing. A carriage return is written as a reference, because
parsers would otherwise read a line feed; in attributes also tab and line feed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mapsos.columns.texts import column_bytes

if TYPE_CHECKING:
    import pyarrow as pa

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNFIT_IN_COLUMN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"

_LINE_BYTES = frozenset(b"\t\n\r")

_TEXT = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
_ATTRIBUTE = (*_TEXT, ('"', "&quot;"), ("\t", "&#9;"), ("\n", "&#10;"))

_NAME_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME_REST = _NAME_START + "\\-.0-9\u00b7\u0300-\u036f\u203f\u2040"
_NC_NAME = f"[{_NAME_START}][{_NAME_REST}]*"
_NOT_IN_NAME = f"[^{_NAME_REST}]|^[^{_NAME_START}]|_(?=x[0-9A-F]{{4,6}}_)"
_NOT_IN_URI = r"[\x00-\x20\"<>\[\]\\^`{|}\x7f\ud800-\udfff\ufffe\uffff]|%(?![0-9A-Fa-f]{2})"
_NOT_IN_ID = r"[\x00-\x20\"%<>#,\[\]\\^`{|}\x7f\ud800-\udfff\ufffe\uffff]"
# Most names are plain, and the patterns above take 20 ms to compile.
_PLAIN_NAME = re.compile("[A-Za-z_][A-Za-z0-9._-]*")


def escape_text(text: str) -> str:
    """Escape a string as element content."""
    return _escape(text, _TEXT)


def escape_attribute(text: str) -> str:
    """Escape a string as the value of an attribute in double quotes."""
    return _escape(text, _ATTRIBUTE)


def _escape(text: str, entities: tuple[tuple[str, str], ...]) -> str:
    for character, entity in entities:
        text = text.replace(character, entity)
    return clean_text(text)


def clean_text(text: str) -> str:
    """Replace the characters that XML 1.0 cannot contain, without escaping: for a writer that escapes itself (lxml)."""
    return _UNFIT.sub("\ufffd", text)


def escape_text_column(column: pa.Array) -> pa.Array:
    """Escape each string of a column as element content: large_string, null becoming an empty string.

    A column without such characters is returned as it is, at the cost of one scan of its bytes.
    """
    return _escape_column(column, _TEXT)


def escape_attribute_column(column: pa.Array) -> pa.Array:
    """Escape each string of a column as the value of an attribute in double quotes, as `escape_text_column` does."""
    return _escape_column(column, _ATTRIBUTE)


def _escape_column(column: pa.Array, entities: tuple[tuple[str, str], ...]) -> pa.Array:
    import pyarrow.compute as pc

    column = without_nulls(column)
    data = column_bytes(column)
    text = data.tobytes()
    for character, entity in entities:
        if character.encode() in text:
            column = pc.replace_substring(column, character, entity)
    # 0xEF begins U+FFFE and U+FFFF in UTF-8.
    if b"\xef" in text or (data.min(initial=0xFF) < 0x20 and not set(data[data < 0x20].tolist()) <= _LINE_BYTES):
        column = pc.replace_substring_regex(column, _UNFIT_IN_COLUMN, "\ufffd")
    return column


def without_nulls(column: pa.Array) -> pa.Array:
    """Return a column of strings as large_string, nulls as empty strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != pa.large_string():
        column = column.cast(pa.large_string())
    return pc.fill_null(column, "") if column.null_count else column


def encode_name(text: str) -> str:
    """Return a string as an XML name without colon (NCName), with ``_xHHHH_`` for each character that is not allowed.

    Different strings become different names, except for strings that are such a name already. ``my id`` becomes
    ``my_x0020_id``, ``1val`` becomes ``_x0031_val``, an empty string ``_``.
    """
    if _PLAIN_NAME.fullmatch(text) or re.fullmatch(_NC_NAME, text):
        return text
    return re.sub(_NOT_IN_NAME, lambda found: f"_x{ord(found[0]):04X}_", text) or "_"


def encode_uri(text: str) -> str:
    """Return a string as an xsd:anyURI: characters not allowed in URIs are escaped. Letters of any script stay."""
    from urllib.parse import quote

    def escape(found: re.Match[str]) -> str:
        return quote(found[0], safe="", errors="replace")

    head, mark, tail = text.strip().partition("#")
    return re.sub(_NOT_IN_URI, escape, head) + mark + re.sub(f"{_NOT_IN_URI}|#", escape, tail)


def encode_id(text: str) -> str:
    """Return a string as the last part of a URN: reserved characters of URIs and of lists are percent-escaped too."""
    from urllib.parse import quote

    return re.sub(_NOT_IN_ID, lambda found: quote(found[0], safe="", errors="replace"), text)
