"""The configuration file of MapServer 8: CONFIG with the blocks ENV, MAPS and PLUGINS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mapsos.terms.mapserver_words import WordError, split_words


class SettingsError(Exception):
    """An option or the configuration file is wrong; the message names it and what is allowed. For the admin only."""


_WORD = re.compile(r"[^\s\"'\#]+")
_BLOCKS = ("env", "maps", "plugins")


def read_config(path: str) -> dict[str, dict[str, str]]:
    """Return the pairs of a configuration file by block, all names in lower case. Raises SettingsError."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise SettingsError(f"{path}: the configuration file cannot be read: {error.strerror}") from error
    try:
        return _read_blocks(split_words(text, path, _read_word, _make_string), path)
    except WordError as error:
        raise SettingsError(str(error)) from None


def _read_blocks(words: Iterator[tuple[int, str, bool]], path: str) -> dict[str, dict[str, str]]:
    blocks: dict[str, dict[str, str]] = {}
    line, word, _ = next(words, (1, "", False))
    if word.lower() != "config":
        raise SettingsError(f"{path}:{line}: a configuration file begins with CONFIG")
    for line, word, quoted in words:
        name = word.lower()
        if name == "end" and not quoted:
            return blocks
        if name not in _BLOCKS or quoted:
            raise SettingsError(f"{path}:{line}: unknown block {word}; allowed: ENV, MAPS, PLUGINS")
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


def _read_word(text: str, position: int, file: str, line: int) -> tuple[tuple[int, str, bool], int]:
    match = _WORD.match(text, position)
    if match is None:
        raise WordError(file, line, f"{text[position]!r} has no meaning here", text[position])
    return (line, match[0], False), match.end()


def _make_string(text: str, file: str, line: int, ignore_case: bool) -> tuple[int, str, bool]:
    return line, text, True
