"""Split MapServer's mapfiles and configuration files into words, by the lexical rules that both share.

These are spaces, comments, and the two kinds of quotes with their escapes and the ``i`` suffix. The caller defines the
words outside of quotes, and parses all of them. A CGI process imports this module at each start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

_Word = TypeVar("_Word")


class WordError(Exception):
    """Text that cannot be split into words, with its file and line, the problem and the character in question."""

    def __init__(self, file: str, line: int, message: str, near: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.message = message
        self.near = near


_SPACE_AND_COMMENTS = re.compile(r"(?:[ \t\r\n\f\v]+|\#[^\n]*|/\*.*?\*/)+", re.S)
_QUOTED = re.compile(r"\"((?:\\.|[^\"\\])*)\"(i(?![0-9A-Za-z_]))?|'((?:\\.|[^'\\])*)'(i(?![0-9A-Za-z_]))?", re.S)
_ESCAPE = r"\\([\"'\\])"


def split_words(
    text: str,
    file: str,
    read_word: Callable[[str, int, str, int], tuple[_Word, int]],
    make_string: Callable[[str, str, int, bool], _Word],
) -> Iterator[_Word]:
    """Split the text of one file into words.

    Parameters
    ----------
    text, file
        The text, and the file for messages.
    read_word
        Returns the word at a position of a text, which is not a quote, and the position after it, given the text, the
        position, the file and the line.
    make_string
        Returns the word for a string in quotes, given its text with escapes resolved, its file and line, and whether it
        has the ``i`` suffix.

    Raises
    ------
    WordError
        A quote is not closed; and what ``read_word`` raises.
    """
    position, line, length = 0, 1, len(text)
    while True:
        if gap := _SPACE_AND_COMMENTS.match(text, position):
            line += text.count("\n", position, gap.end())
            position = gap.end()
        if position >= length:
            return
        quote = text[position]
        if quote not in "\"'":
            word, end = read_word(text, position, file, line)
        elif match := _QUOTED.match(text, position):
            inner = match[1] if match[1] is not None else match[3]
            inner = re.sub(_ESCAPE, r"\1", inner) if "\\" in inner else inner
            word = make_string(inner, file, line, bool(match[2] or match[4]))
            end = match.end()
        else:
            raise WordError(file, line, f"the quote {quote} that opens here is never closed", quote)
        yield word
        line += text.count("\n", position, end)
        position = end
