"""The levels of sos_require_key (docs/keys.md, "Maps and layers")."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from mapsos.mapfile.model import AccessRules


class KeyLevel(Enum):
    """The requests that need a key."""

    NONE = "none"
    WRITE = "write"
    ALL = "all"


NONE, WRITE, ALL = KeyLevel


def read_key_level(rules: AccessRules) -> KeyLevel:
    """Return the level that a map or a layer states. An unknown word counts as ``all``: the admin meant a restriction.
    """
    return _read(rules.require_key) if rules.require_key is not None else NONE


@lru_cache(64)
def _read(text: str) -> KeyLevel:
    try:
        return KeyLevel(text.strip().lower() or "none")
    except ValueError:
        return ALL
