"""Translate POSIX extended regular expressions, as MapServer reads them, to those of Python and of RE2."""

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
_REFERENCES = "123456789"
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_MOST_REPEATS = 1000


# The texts of escapes, by the character after the backslash, and of characters with a meaning outside brackets.
_PYTHON_ESCAPES = {name: rf"\{name}" for name in f"wWsSbB{_REFERENCES}"}
_PYTHON_ESCAPES |= {"<": r"\b(?=\w)", ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z"}
_PYTHON_SIGNS = {"$": r"\Z"}
# RE2 cannot look ahead, and its \s is without the vertical tab.
_RE2_ESCAPES = {name: rf"\{name}" for name in "wWbB"}
_RE2_ESCAPES |= {"<": r"\b", ">": r"\b", "`": r"\A", "'": r"\z", "s": r"[\s\v]", "S": r"[^\s\v]"}
_RE2_SIGNS = {"$": r"\z", ".": "(?s:.)"}


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


def write_re2(pattern: str) -> str:
    """Return the text for RE2 of an extended regular expression of POSIX, with the meaning of `compile_posix`.

    ``\\<`` and ``\\>`` become ``\\b``, which differs only beside a pattern of other characters than those of words.

    Raises
    ------
    ValueError
        As `compile_posix`; or the expression has a back-reference or a repetition that RE2 does not support.
    """
    compile_posix(pattern)
    return _translate(pattern, re2=True)


def _translate(pattern: str, *, re2: bool = False) -> str:
    escapes, signs = (_RE2_ESCAPES, _RE2_SIGNS) if re2 else (_PYTHON_ESCAPES, _PYTHON_SIGNS)
    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        following = pattern[position + 1 : position + 2]
        if character == "\\" and following:
            if following in _REFERENCES and following not in escapes:
                raise ValueError(f"{pattern}: back-references such as \\{following} are not supported")
            out.append(escapes.get(following) or re.escape(following))
            position += 2
        elif character == "[":
            text, position = _translate_bracket(pattern, position)
            out.append(text)
        elif character == "(" and following == "?":
            raise ValueError(f"{pattern} is not a regular expression of POSIX: (? at {position}")
        elif character in "*+?}" and following == "+":
            raise ValueError(f"{pattern} is not a regular expression: {character}+ at {position}")
        elif character == "{" and re2 and (repeat := _REPEAT.match(pattern, position)):
            out.append(_write_repeat(pattern, repeat))
            # The brace remains, for the check of what follows it.
            position = repeat.end() - 1
        else:
            out.append(signs.get(character, character))
            position += 1
    return "".join(out)


def _write_repeat(pattern: str, repeat: re.Match[str]) -> str:
    """Return a repetition for RE2 up to its closing brace; without a lower bound RE2 takes it as literal."""
    if any(count and int(count) > _MOST_REPEATS for count in (repeat[1], repeat[3])):
        raise ValueError(f"{pattern}: expected at most {_MOST_REPEATS} repetitions, got {repeat[0]}")
    if not repeat[1] and repeat[2]:
        return f"{{0,{repeat[3]}"
    return repeat[0][:-1]


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
