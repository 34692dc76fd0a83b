"""Translate POSIX extended regular expressions, as in MapServer's configuration and mapfiles, to Python's re."""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r" \t\n\r\f\v",
    "blank": r" \t",
    "punct": "!-/:-@\\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "cntrl": r"\x00-\x1f\x7f",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
}
_GNU_ESCAPES = {"<": r"\b(?=\w)", ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z"}
_KEPT_ESCAPES = "wWsSbB123456789"


@lru_cache(maxsize=64)
def compile_posix(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile an extended regular expression of POSIX, with the extensions of glibc, for ``search``.

    ``$`` is the very end, a dot matches any character including a line feed, a backslash in brackets is literal, an
    escape that glibc does not know is the character.

    Raises
    ------
    ValueError
        The pattern is not such an expression, or uses the syntax of other dialects: ``(?:``, possessive ``++``.
    """
    try:
        return re.compile(_translate(pattern), re.S | re.ASCII | (re.I if ignore_case else 0))
    except (re.error, OverflowError) as error:
        raise ValueError(f"{pattern} is not a regular expression: {error}") from None


def _translate(pattern: str) -> str:
    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        following = pattern[position + 1 : position + 2]
        if character == "\\" and following:
            kept = f"\\{following}" if following in _KEPT_ESCAPES else re.escape(following)
            out.append(_GNU_ESCAPES.get(following, kept))
            position += 2
        elif character == "[":
            text, position = _translate_bracket(pattern, position)
            out.append(text)
        elif character == "(" and following == "?":
            raise ValueError(f"{pattern} is not a regular expression of POSIX: (? at {position}")
        elif character in "*+?}" and following == "+":
            raise ValueError(f"{pattern} is not a regular expression: {character}+ at {position}")
        else:
            out.append(r"\Z" if character == "$" else character)
            position += 1
    return "".join(out)


def _translate_bracket(pattern: str, start: int) -> tuple[str, int]:
    position = start + 1
    out = ["["]
    if pattern[position : position + 1] == "^":
        out.append("^")
        position += 1
    first = True
    while position < len(pattern):
        if pattern[position] == "]" and not first:
            return "".join(out) + "]", position + 1
        if named := re.compile(r"\[:([a-z]+):\]").match(pattern, position):
            if named[1] not in _CLASSES:
                raise ValueError(f"{pattern} is not a regular expression: unknown class {named[0]}")
            out.append(_CLASSES[named[1]])
            position = named.end()
        else:
            character = pattern[position]
            out.append("-" if character == "-" else re.escape(character))
            position += 1
        first = False
    raise ValueError(f"{pattern} is not a regular expression: [ at {start} is never closed")
