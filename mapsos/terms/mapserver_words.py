"""How text is split into words in MapServer's files, mapfiles and configuration files.

Here is what both have: spaces, comments, and the two quotes with their escapes and the ``i`` suffix. What a word is
outside of quotes, and what comes of the words, is for each of them. A CGI process imports this at each start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

_Word = TypeVar("_Word")


class WordError(Exception):
    """Text that cannot be split into words: in which file and line, what is wrong, and the character."""

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
        Reads what is not in quotes at a position of a text, given its file and line; with the position behind it.
    make_string
        Makes a word of what was in quotes, given its text with escapes resolved, its file and line, and whether it has
        the ``i`` suffix.

    Raises
    ------
    WordError
        What never closes.
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
            word = make_string(re.sub(_ESCAPE, r"\1", inner), file, line, bool(match[2] or match[4]))
            end = match.end()
        else:
            raise WordError(file, line, f"the quote {quote} that opens here is never closed", quote)
        yield word
        line += text.count("\n", position, end)
        position = end
