"""Split a mapfile into words as MapServer does, each with its file and line.

This module has the lexical rules that only mapfiles have: encodings, regular expressions, (expressions), {lists},
[bindings] and INCLUDE. `mapsos.mapfile.blocks` parses the words.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterator

from mapsos.files.identity import Identity, identity_of
from mapsos.mapfile.errors import MapfileError
from mapsos.terms.mapserver_words import WordError, split_words
from mapsos.terms.values import dataclass

MAX_INCLUDE_DEPTH = 10
"""Maximum nesting depth of INCLUDEs, as in MapServer. Deeper nesting is treated as a circle."""


class TokenKind(enum.Enum):
    """The notation of a word."""

    WORD = "word"
    STRING = "string"
    REGEX = "regular expression"
    EXPRESSION = "expression"
    LIST = "list"
    BINDING = "binding"


@dataclass(frozen=True)
class Token:
    """One word. ``text`` is without delimiters and with escapes resolved; ``ignore_case`` is the ``i`` suffix.

    Bytes that are not UTF-8 are surrogates in ``text``, which `decode` replaces by characters.
    """

    kind: TokenKind
    text: str
    file: str
    line: int
    ignore_case: bool = False

    def is_word(self, *words: str) -> bool:
        """Return whether this is one of some keywords (in lower case), unquoted."""
        return self.kind is TokenKind.WORD and self.text.lower() in words


_BACK_TICKED = re.compile(r"`([^`]*)`(i(?![0-9A-Za-z_]))?")
_REGEX = re.compile(r"/((?:\\/|[^/\n*])(?:\\/|[^/\n])*)/(i(?![0-9A-Za-z_]))?")
_BINDING = re.compile(r"\[([^\]\n]*)\]")
_WORD = re.compile(r"[^\s\"'`\[\](){}\#]+")
_PATH_LIKE = re.compile(r"[A-Za-z0-9/._\-=%:\\]*")
_INSIDE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|[(){}]", re.S)
_CLOSERS = {"(": ")", "{": "}"}


def read_tokens(path: str) -> tuple[list[Token], tuple[Identity, ...]]:
    """Split a mapfile and its INCLUDEs into words.

    A relative INCLUDE is relative to the folder of the mapfile at any depth, as in MapServer.

    Returns
    -------
    tuple
        The words, and the identities of all files that were read (absolute paths, the mapfile first).

    Raises
    ------
    MapfileError
        A file cannot be read, INCLUDEs nest too deeply, or a quote or bracket is not closed.
    """
    files: dict[str, Identity] = {}
    return list(stream_tokens(path, files)), tuple(files.values())


def stream_tokens(path: str, files: dict[str, Identity]) -> Iterator[Token]:
    """Yield the words of a mapfile and its INCLUDEs, as `read_tokens` does, but read no further than they are needed.

    ``files`` gets the identity of each file by its absolute path when it is read.
    """
    path = os.path.abspath(path)
    try:
        yield from _read_file(path, os.path.dirname(path), files, 0)
    except MapfileError as error:
        error.identities = tuple(files.values())
        raise


def _read_file(path: str, folder: str, files: dict[str, Identity], depth: int) -> Iterator[Token]:
    identity, text = _read_text(path)
    files.setdefault(path, identity)
    pending: Token | None = None
    for token in split_text(text, path):
        if pending is not None:
            included = os.path.normpath(os.path.join(folder, token.text))
            if depth >= MAX_INCLUDE_DEPTH:
                message = f"INCLUDE {token.text}: nested more than {MAX_INCLUDE_DEPTH} deep"
                raise MapfileError(path, pending.line, message, fault="include")
            if not os.path.isfile(included):
                raise MapfileError(
                    path,
                    pending.line,
                    f"INCLUDE {token.text}: file {included} not found; it is relative to the folder of the map",
                    fault="include",
                    near=token.text,
                )
            pending = None
            yield from _read_file(included, folder, files, depth + 1)
        elif token.is_word("include"):
            pending = token
        else:
            yield token
    if pending is not None:
        raise MapfileError(path, pending.line, "INCLUDE without a file name", fault="include", near=pending.text)


def _read_text(path: str) -> tuple[Identity, str]:
    try:
        with open(path, "rb") as file:
            identity = identity_of(path, os.fstat(file.fileno()))
            data = file.read()
    except OSError as error:
        raise MapfileError(path, 0, f"cannot be read: {error.strerror}", fault="file", missing=True) from error
    return identity, data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def split_text(text: str, file: str = "") -> Iterator[Token]:
    """Split the text of one file into words, without following INCLUDEs.

    Raises
    ------
    MapfileError
        A quote or bracket is not closed, or a character is not allowed.
    """
    try:
        yield from split_words(text, file, _read_word, _make_string)
    except WordError as error:
        raise MapfileError(error.file, error.line, error.message, fault="word", near=error.near) from None


def _make_string(text: str, file: str, line: int, ignore_case: bool) -> Token:
    return Token(TokenKind.STRING, text, file, line, ignore_case)


def _read_word(text: str, position: int, file: str, line: int) -> tuple[Token, int]:
    first = text[position]
    if first == "`" and (match := _BACK_TICKED.match(text, position)):
        return Token(TokenKind.STRING, match[1], file, line, bool(match[2])), match.end()
    if first in "({":
        end = _closing(text, position, file, line)
        kind = TokenKind.EXPRESSION if first == "(" else TokenKind.LIST
        return Token(kind, text[position + 1 : end - 1], file, line), end
    if first == "[" and (match := _BINDING.match(text, position)):
        return Token(TokenKind.BINDING, match[1], file, line), match.end()
    if first == "/" and (match := _REGEX.match(text, position)):
        # A path such as /vsizip/a.zip/b.shp also has two slashes: the longer match wins, as in MapServer.
        path = _PATH_LIKE.match(text, position)
        if path is None or path.end() <= match.end():
            return Token(TokenKind.REGEX, match[1], file, line, bool(match[2])), match.end()
    if match := _WORD.match(text, position):
        return Token(TokenKind.WORD, match[0], file, line), match.end()
    raise WordError(file, line, f"{first} is not allowed here", first)


def _closing(text: str, position: int, file: str, line: int) -> int:
    expected: list[str] = []
    opener = text[position]
    for match in _INSIDE.finditer(text, position):
        found = match[0]
        if found in _CLOSERS:
            expected.append(_CLOSERS[found])
        elif found in (")", "}"):
            if found != expected[-1]:
                continue
            expected.pop()
            if not expected:
                return match.end()
    # MapServer does not parse the text of lists: {it's,b} has an apostrophe, not a quote.
    if opener == "{" and (end := text.find("}", position)) >= 0:
        return end + 1
    raise WordError(file, line, f"{opener} is not closed", opener)


def is_decoded(text: str) -> bool:
    """Return whether the text was valid UTF-8 in the file."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def decode(text: str, encoding: str | None) -> str:
    """Decode bytes that were not UTF-8 by ``encoding`` if possible, else as Latin-1 (D-18b)."""
    if is_decoded(text):
        return text
    data = text.encode("utf-8", "surrogateescape")
    for candidate in (encoding, "latin-1"):
        if candidate and candidate.lower().replace("-", "") != "utf8":
            try:
                return data.decode(candidate)
            except (LookupError, UnicodeDecodeError):
                continue
    return data.decode("latin-1")
