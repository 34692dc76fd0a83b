"""Negotiate version, update sequence and sections of capabilities (OGC 06-121r3, clause 7.3).

Nothing here raises an exception report: each protocol version has its own wording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from mapsos.terms.times import parse_time

SECTIONS = (
    "ServiceIdentification",
    "ServiceProvider",
    "OperationsMetadata",
    "Filter_Capabilities",
    "Contents",
)
"""The sections of a capabilities document of SOS 1.0, in the order of the document."""

_NUMBERS = re.compile(r"\s*([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?\s*")
_INTEGER = re.compile(r"\s*([-+]?[0-9]{1,400})\s*")


class UnknownSectionError(ValueError):
    """A requested section that the document does not have; ``name`` as the client wrote it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown section {name}")
        self.name = name


def is_version(text: str, version: str) -> bool:
    """Return whether a text names a version ``x.y.z``; a missing ``z`` is 0, and leading zeros do not count."""
    match = _NUMBERS.fullmatch(text)
    return match is not None and tuple(int(part or 0) for part in match.groups()) == tuple(map(int, version.split(".")))


def choose_version(accepted: Sequence[str], supported: Sequence[str]) -> str | None:
    """Return the first supported version of a client's list, in the client's order; None if it has none."""
    found = (version for text in accepted for version in supported if is_version(text, version))
    return next(found, None)


def compare_update_sequences(client: str, server: str) -> Literal["lower", "equal", "higher", "different"]:
    """Compare a client's update sequence with the server's; ``different`` if their kinds differ.

    Integers compare by value, times by their begin, other texts case-insensitively by code point.
    """
    kind, value = _read_sequence(client)
    server_kind, server_value = _read_sequence(server)
    if kind != server_kind:
        return "different"
    if value == server_value:
        return "equal"
    return "lower" if value < server_value else "higher"  # type: ignore[operator]


def _read_sequence(text: str) -> tuple[Literal["integer", "time", "text"], int | str]:
    if match := _INTEGER.fullmatch(text):
        return "integer", int(match[1])
    if text.strip().lower() != "now":
        try:
            return "time", parse_time(text).begin
        except ValueError:
            pass
    return "text", text.lower()


def choose_sections(lists: Sequence[str], known: Sequence[str]) -> frozenset[str] | None:
    """Return the requested sections, spelled as in ``known``; None for the whole document (no list, or ``All``).

    Parameters
    ----------
    lists
        Comma-separated lists of names, compared case-insensitively. An empty list requests no section.

    Raises
    ------
    UnknownSectionError
        A name is not in ``known``.
    """
    if not lists:
        return None
    wanted = [name.strip() for value in lists for name in value.split(",")]
    spellings = {name.lower(): name for name in (*known, "All")}
    for name in wanted:
        if name and name.lower() not in spellings:
            raise UnknownSectionError(name)
    found = frozenset(spellings[name.lower()] for name in wanted if name)
    return None if "All" in found else found
