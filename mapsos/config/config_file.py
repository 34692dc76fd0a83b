"""The configuration file of MapServer 8: CONFIG with the blocks ENV, MAPS and PLUGINS."""

from __future__ import annotations

import re
from collections.abc import Iterator


class SettingsError(Exception):
    """An option or the configuration file is wrong; the message names it and what is allowed. For the admin only."""


_WORDS = re.compile(
    r"(?:[ \t\r\n\f\v]+|\#[^\n]*|/\*.*?\*/)+"
    r"|\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|([^\s\"'\#]+)",
    re.S,
)
_BLOCKS = ("env", "maps", "plugins")


def read_config(path: str) -> dict[str, dict[str, str]]:
    """The blocks of a configuration file: pairs by block, all names in lower case."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise SettingsError(f"{path}: the configuration file cannot be read: {error.strerror}") from error
    words = _split_config(text, path)
    blocks: dict[str, dict[str, str]] = {}
    line, word, _ = next(words, (1, "", False))
    if word.lower() != "config":
        raise SettingsError(f"{path}:{line}: a configuration file begins with CONFIG")
    for line, word, quoted in words:
        name = word.lower()
        if name == "end" and not quoted:
            return blocks
        if name not in _BLOCKS or quoted:
            raise SettingsError(f"{path}:{line}: {word} is no block of a configuration; allowed: ENV, MAPS, PLUGINS")
        pairs = blocks.setdefault(name, {})
        for key_line, key, key_quoted in words:
            if key.lower() == "end" and not key_quoted:
                break
            value_line, value, value_quoted = next(words, (key_line, "END", False))
            if value.lower() == "end" and not value_quoted:
                raise SettingsError(f"{path}:{value_line}: {key} has no value")
            pairs[key.lower()] = value
        else:
            raise SettingsError(f"{path}:{line}: {word} is not ended: END is missing")
    raise SettingsError(f"{path}: CONFIG is not ended: END is missing")


def _split_config(text: str, path: str) -> Iterator[tuple[int, str, bool]]:
    position, line = 0, 1
    while position < len(text):
        match = _WORDS.match(text, position)
        if match is None:
            raise SettingsError(f"{path}:{line}: the quote {text[position]} that opens here is never closed")
        if match.lastindex:
            word = match[match.lastindex]
            quoted = match.lastindex < 3
            yield line, re.sub(r"\\([\"'\\])", r"\1", word) if quoted else word, quoted
        line += match[0].count("\n")
        position = match.end()
