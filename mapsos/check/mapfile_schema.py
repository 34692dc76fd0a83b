"""What MapServer would not take in a mapfile: every keyword and value, also those that SOS has no use for.

The schema is mappyfile's, by version of MapServer. mappyfile reads a plain form of the map, made from the words that
mapsos has read: one a line, so that a position leads back to the word, its file and its line.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from mapsos.check.finding import Finding
from mapsos.mapfile.blocks import OPENERS, PAIRS, is_number
from mapsos.mapfile.tokens import Token, TokenKind

_SchemaError: TypeAlias = Any
"""jsonschema's ValidationError; that library has no types."""

MAPSERVER = 8.0
"""The version of MapServer that mapfiles are held against where nobody names another one."""

_LISTS = PAIRS | {"projection", "values"}
_NUMBER_LISTS = ("points", "pattern")
_UNQUOTED = ("true", "false", "null")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNQUOTABLE = re.compile(r"[\s\"\\\x00-\x1f\ud800-\udfff]")
_FIXED = {
    TokenKind.EXPRESSION: '("a" = "b")',
    TokenKind.LIST: "{a,b}",
    TokenKind.REGEX: "/a/",
    TokenKind.BINDING: "[a]",
}
"""What stands for values in which MapServer computes: the schema can tell nothing about them."""


def find_by_schema(tokens: Sequence[Token], version: float = MAPSERVER) -> list[Finding]:
    """Return what MapServer of a version would not take, as warnings.

    Costs the import of mappyfile and its grammar at first use (0.4 s). Where mappyfile cannot read a map that mapsos
    can, there is one finding of level ``info``; no exception comes out.

    Parameters
    ----------
    tokens
        The words of the map and what it INCLUDEs, of which `mapsos.mapfile.blocks` can make a tree.
    """
    import lark

    parse, validate = _load_schema()
    logging.getLogger("mappyfile").setLevel(logging.CRITICAL)
    plain = list(_write_plain(tokens))
    words = [token for _, token in plain]
    text = "\n".join(written for written, _ in plain)
    try:
        tree = parse(text)
        errors = validate(tree, version=version)
    except lark.exceptions.UnexpectedInput as error:
        return [_unread(words[min(max(error.line, 1), len(words)) - 1])]
    except Exception:
        # Its transformer has other ways to fail. They are faults of a second opinion, never of the map.
        return [_unread(words[0])]
    return [finding for error in errors for finding in _tell(error, tree, words, version)]


def _unread(token: Token) -> Finding:
    message = "keywords and values are not held against MapServer's: the schema cannot be used on what stands here"
    return Finding(token.file, token.line, "info", token.text, message)


def _write_plain(tokens: Iterable[Token]) -> Iterator[tuple[str, Token]]:
    """The words up to the END of MAP, each with how mappyfile shall read it."""
    opened: list[str] = []
    stream = iter(tokens)
    for token in stream:
        block = opened[-1] if opened else ""
        if token.is_word("end"):
            opened.pop()
            yield "END", token
            if not opened:
                return
        elif token.is_word(*OPENERS.get(block, ())):
            opened.append(token.text.lower())
            # In lower case: what follows an unquoted SYMBOL is a value to mappyfile, whatever it is.
            yield opened[-1], token
        elif block in _LISTS:
            yield _quote(token), token
        elif block in _NUMBER_LISTS or token.kind is not TokenKind.WORD or not _PLAIN_KEY.fullmatch(token.text):
            yield _write_value(token), token
        else:
            yield token.text.lower(), token
            for value in (next(stream, token) for _ in range(2 if token.is_word("config") else 1)):
                yield _quote(value) if token.is_word("config") else _write_value(value), value


def _write_value(token: Token) -> str:
    if token.kind is TokenKind.WORD and (is_number(token) or token.is_word(*_UNQUOTED)):
        return token.text
    return _FIXED.get(token.kind) or _quote(token)


def _quote(token: Token) -> str:
    return '"' + _UNQUOTABLE.sub("_", token.text) + '"'


@functools.cache
def _load_schema() -> tuple[Callable[[str], Any], Callable[..., list[_SchemaError]]]:
    """What parses and what validates in mappyfile: they cost more to make than to use."""
    from mappyfile.parser import Parser
    from mappyfile.transformer import MapfileToDict
    from mappyfile.validator import Validator

    class Errors(Validator):
        """Give out the errors themselves: the messages that mappyfile makes of them have no path."""

        def create_message(self, rootdict: Any, path: Any, error: Any, add_comments: bool) -> Any:
            return error

    make_dict: Any = MapfileToDict
    make_errors: Any = Errors
    parser, transformer = Parser(expand_includes=False), make_dict(include_position=True)
    return lambda text: transformer.transform(parser.parse(text)), make_errors().validate


def _tell(error: _SchemaError, tree: Any, words: list[Token], version: float) -> Iterator[Finding]:
    """Turn an error of the schema into findings at the words that it is about."""
    block, rest = tree, list(error.absolute_path)
    node = tree
    for count, step in enumerate(error.absolute_path, 1):
        node = node[step]
        if isinstance(node, dict) and "__type__" in node:
            block, rest = node, list(error.absolute_path)[count:]
    if block["__type__"] in PAIRS:
        return
    if error.validator == "additionalProperties":
        for key in sorted(error.instance.keys() - error.schema["properties"].keys()):
            if not key.startswith("__"):
                token, _ = _find_words(block, [key], words)
                yield _warn(token, token.text, f"MapServer {version} has no {token.text.upper()} in {_name(block)}")
        return
    token, values = _find_words(block, rest, words)
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield _warn(token, key, f"missing: MapServer {version} refuses a {_name(block)} without it")
        return
    if any(value.kind in (TokenKind.EXPRESSION, TokenKind.BINDING) or "%" in value.text for value in values):
        # Computed, or replaced by a parameter of the request.
        return
    written = " ".join(value.text for value in values)
    message = f'"{written}" is not what MapServer {version} takes here'
    if error.validator == "enum":
        message += f"; write one of {', '.join(str(value).upper() for value in error.validator_value)}"
    elif error.validator == "type" and isinstance(error.validator_value, str):
        message += f"; write {_KINDS.get(error.validator_value, error.validator_value)}"
    yield _warn(token, token.text, message)


_KINDS = {
    "array": "several numbers",
    "number": "a number without quotes",
    "integer": "a whole number without quotes",
    "string": "text in quotes",
}


def _find_words(block: Any, path: list[Any], words: list[Token]) -> tuple[Token, list[Token]]:
    """The keyword at a path within a block, and its values; the block's own word where there is no path."""
    place = block["__position__"]
    if path:
        inner = place.get(path[0], block.get(path[0]))
        while isinstance(inner, list) and inner:
            inner = inner[path[1] if len(path) > 1 and isinstance(path[1], int) and path[1] < len(inner) else -1]
        while isinstance(inner, dict) and "line" not in inner:
            inner = inner.get("__position__") or next(iter(inner.values()), None)
        place = inner if isinstance(inner, dict) else place
    return words[place["line"] - 1], [words[line - 1] for line, _ in place.get("values", ())]


def _name(block: Any) -> str:
    return str(block["__type__"]).upper()


def _warn(token: Token, key: str, message: str) -> Finding:
    return Finding(token.file, token.line, "warning", key.upper(), message)
