"""The levels of sos_require_key (docs/keys.md, "Maps and layers")."""

from __future__ import annotations

from typing import Literal, TypeAlias

from mapsos.mapfile.model import AccessRules

KeyLevel: TypeAlias = Literal["none", "write", "all"]
"""The requests that need a key."""

LEVELS: dict[str, KeyLevel] = {"": "none", "none": "none", "write": "write", "all": "all"}
"""The levels by the words for them in lower case."""


def read_key_level(rules: AccessRules) -> KeyLevel:
    """Return the level that a map or a layer states, case-insensitive.

    An unknown word counts as ``all``: the admin meant a restriction.
    """
    return "none" if rules.require_key is None else LEVELS.get(rules.require_key.strip().lower(), "all")
