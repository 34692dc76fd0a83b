"""SQL of the drivers: identifiers and typed constants, the only things that a statement is made of."""

from __future__ import annotations

import enum


class Dialect(enum.Enum):
    """How a driver's statements are written."""

    SQLITE = "sqlite"  # GeoPackage, SQLite and SpatiaLite: the database's own
    POSTGRESQL = "postgresql"
    OGR = "ogr"  # OGR SQL: every other driver


def dialect_of(driver: str) -> Dialect:
    """The dialect of a GDAL driver, by its short name."""
    if driver in ("GPKG", "SQLite"):
        return Dialect.SQLITE
    return Dialect.POSTGRESQL if driver == "PostgreSQL" else Dialect.OGR


def quote_identifier(name: str, dialect: Dialect) -> str:
    """A name as an identifier. Raises ValueError for one that the dialect cannot express safely."""
    if "\0" in name or (dialect is Dialect.OGR and ('"' in name or "\\" in name)):
        raise ValueError(f"the name {name!r} cannot be written as an identifier")
    return '"' + name.replace('"', '""') + '"'


def is_plain_text(text: str, dialect: Dialect) -> bool:
    """Whether a text may become a constant.

    Not those with NUL, with a backslash (an escape to some dialects and settings) or with U+FFFD (which stands for
    bytes that the driver would not find); for OGR SQL, where the
    escaping of quotes has changed over time, nor those with a quote.
    """
    if "\0" in text or "\\" in text or "\ufffd" in text or len(text) > 1000:
        return False
    return dialect is not Dialect.OGR or not ("'" in text or '"' in text)


def quote_text(text: str, dialect: Dialect) -> str:
    """A text as a constant. Raises ValueError unless `is_plain_text`."""
    if not is_plain_text(text, dialect):
        raise ValueError("the text cannot be written as a constant")
    return "'" + text.replace("'", "''") + "'"


def write_number(number: float | int) -> str:
    """A finite number as a constant, without loss. Raises ValueError for another one."""
    if isinstance(number, int):
        return str(number)
    if number - number != 0.0:
        raise ValueError("the number is not finite")
    return repr(number)
