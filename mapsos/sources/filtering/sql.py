"""SQL of the drivers: identifiers and typed constants, the only client data in statements."""

from __future__ import annotations

import enum
from collections.abc import Sequence

_FLAT = 8
"""Conditions that are joined without further brackets."""


class Dialect(enum.Enum):
    """The syntax of a driver's statements."""

    SQLITE = "sqlite"  # GeoPackage, SQLite and SpatiaLite: the database's own
    POSTGRESQL = "postgresql"
    OGR = "ogr"  # OGR SQL: every other driver


def dialect_of(driver: str) -> Dialect:
    """Return the dialect of a GDAL driver, by its short name."""
    if driver in ("GPKG", "SQLite"):
        return Dialect.SQLITE
    return Dialect.POSTGRESQL if driver == "PostgreSQL" else Dialect.OGR


def quote_identifier(name: str, dialect: Dialect) -> str:
    """Write a name as an identifier. Raises ValueError for one that the dialect cannot express safely."""
    if "\0" in name or (dialect is Dialect.OGR and ('"' in name or "\\" in name)):
        raise ValueError(f"the name {name!r} cannot be written as an identifier")
    return '"' + name.replace('"', '""') + '"'


def is_plain_text(text: str, dialect: Dialect) -> bool:
    """Return whether a string can be written as a constant.

    Not with NUL or U+FFFD (which replaces bytes that the driver would not find). With a backslash, an escape in some
    dialects and settings, only for PostgreSQL, which has constants with escapes. With a quote not for OGR SQL, whose
    escaping of quotes has changed over time.
    """
    if "\0" in text or "\ufffd" in text or len(text) > 1000 or not is_unicode(text):
        return False
    if "\\" in text and dialect is not Dialect.POSTGRESQL:
        return False
    return dialect is not Dialect.OGR or not ("'" in text or '"' in text)


def is_unicode(text: str) -> bool:
    """Return whether GDAL could decode the bytes of a string: it stands surrogates for those that are not UTF-8."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def quote_text(text: str, dialect: Dialect) -> str:
    """Write a string as a constant. Raises ValueError unless `is_plain_text`."""
    if not is_plain_text(text, dialect):
        raise ValueError("the string cannot be written as a constant")
    quoted = "'" + text.replace("'", "''") + "'"
    # A constant of this form has escapes, whatever standard_conforming_strings is.
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def write_number(number: float | int) -> str:
    """Write a finite number as a constant, without loss. Raises ValueError for one that is not finite."""
    if isinstance(number, int):
        return str(number)
    if number - number != 0.0:
        raise ValueError("the number is not finite")
    return repr(number)


def join_any(conditions: Sequence[str]) -> str:
    """Join conditions by OR, in brackets and as a balanced tree: drivers limit the depth of an expression."""
    return _join([f"({condition})" for condition in conditions], " OR ") if len(conditions) > 1 else "".join(conditions)


def join_all(conditions: Sequence[str]) -> str:
    """Join conditions, each a call or in brackets, by AND in the same way."""
    return _join(conditions, " AND ")


def _join(conditions: Sequence[str], word: str) -> str:
    if len(conditions) <= _FLAT:
        return word.join(conditions)
    half = (len(conditions) + 1) // 2
    return f"({_join(conditions[:half], word)}){word}({_join(conditions[half:], word)})"
