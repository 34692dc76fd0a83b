"""Read JSON as clients of this interface write it: strict, or with names and strings that are not quoted as in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

MOST_LEVELS = 20
"""Maximum nesting depth of arrays and objects. The deepest geometry needs four levels."""
MOST_WORDS = 250_000
"""Maximum number of names, values and marks."""

NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?"
"""A number as clients of this interface write it, in JSON or elsewhere."""

_TOKEN = re.compile(
    rf"""
    (?P<white>[\x20\t\r\n]+)
  | (?P<mark>[{{}}\[\],:])
  | (?P<double>"(?:[^"\\\x00-\x1f]|\\.)*")
  | (?P<single>'(?:[^'\\\x00-\x1f]|\\.)*')
  | (?P<number>{NUMBER}(?![0-9A-Za-z_.]))
  | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    """,
    re.VERBOSE,
)
_WORDS = frozenset({"true", "false", "null"})


def parse_relaxed_json(text: str) -> Any:
    """Return the value of a JSON text; names may be bare or in single quotes, numbers may begin with ``+`` or a point.

    Objects are dicts, arrays lists, numbers int or float. Raises ValueError with the place (counted from 1) for any
    other text, for a duplicate name in an object, and for more than `MOST_LEVELS` levels or `MOST_WORDS` words.
    """
    strict: list[str] = []
    place = levels = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"not JSON at character {place + 1}")
        token = match[0]
        if match["mark"]:
            levels += (token in "{[") - (token in "}]")
            if levels > MOST_LEVELS:
                raise ValueError(f"JSON of more than {MOST_LEVELS} levels")
        if not match["white"]:
            strict.append(_write_strict(match, token))
            if len(strict) > MOST_WORDS:
                raise ValueError(f"JSON of more than {MOST_WORDS} words")
        place = match.end()
    try:
        return json.loads(" ".join(strict), object_pairs_hook=_read_object)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}") from None


def _write_strict(match: re.Match[str], token: str) -> str:
    if match["single"]:
        return '"' + re.sub(r'\\.|"', _requote, token[1:-1]) + '"'
    if match["number"]:
        return repr(float(token)) if re.search(r"[.eE+]", token) else token
    if match["name"] and token not in _WORDS:
        return json.dumps(token)
    return token


def _requote(found: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found
