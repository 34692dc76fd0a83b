"""Check all keywords and values of a mapfile against MapServer's schema, including those that SOS does not use.

The schema is that of mappyfile, by version of MapServer. mappyfile parses a simplified text of the map with one word
per line, so that each position in it can be mapped back to a word with its file and line.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from mapsos.check.codes import MISSING_IN_SCHEMA, NOT_IN_SCHEMA, SCHEMA_NOT_APPLIED, VALUE_NOT_IN_SCHEMA
from mapsos.check.finding import Finding, Rule
from mapsos.mapfile.blocks import OPENERS, PAIRS, is_number
from mapsos.mapfile.tokens import Token, TokenKind

_SchemaError: TypeAlias = Any
"""jsonschema's ValidationError; that library has no types."""

MAPSERVER = 8.0
"""The default version of MapServer."""

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
"""Placeholders of computed values, which the schema cannot check."""


def find_by_schema(tokens: Sequence[Token], version: float = MAPSERVER) -> list[Finding]:
    """Return warnings about everything that a version of MapServer rejects.

    The first call costs 0.4 s for importing mappyfile and its grammar. If mappyfile cannot parse a map that mapsos can,
    returns one finding of level ``info``. Does not raise.

    Parameters
    ----------
    tokens
        The words of the map and its INCLUDEs, which `mapsos.mapfile.blocks` can parse.
    version
        Version of MapServer.
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
        # The transformer can fail in other ways. These are bugs of mappyfile, not faults of the map.
        return [_unread(words[0])]
    return [finding for error in errors for finding in _tell(error, tree, words, version)]


def _unread(token: Token) -> Finding:
    message = "keywords and values are not checked against MapServer's schema, which cannot be applied to this text"
    return Finding(token.file, token.line, SCHEMA_NOT_APPLIED, token.text, message)


def _write_plain(tokens: Iterable[Token]) -> Iterator[tuple[str, Token]]:
    """Yield the words up to the END of MAP, each preceded by its form for mappyfile."""
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
            # In lower case: mappyfile treats any word after an unquoted SYMBOL as a value.
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
    """Return the parser and the validator of mappyfile, cached because creating them costs more than using them."""
    from mappyfile.parser import Parser
    from mappyfile.transformer import MapfileToDict
    from mappyfile.validator import Validator

    class Errors(Validator):
        """Returns the errors themselves: the messages that mappyfile makes of them have no path."""

        def create_message(self, rootdict: Any, path: Any, error: Any, add_comments: bool) -> Any:
            return error

    make_dict: Any = MapfileToDict
    make_errors: Any = Errors
    parser, transformer = Parser(expand_includes=False), make_dict(include_position=True)
    return lambda text: transformer.transform(parser.parse(text)), make_errors().validate


def _tell(error: _SchemaError, tree: Any, words: list[Token], version: float) -> Iterator[Finding]:
    """Yield the findings of a schema error, located at the words in question."""
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
                message = f"MapServer {version} does not allow {token.text.upper()} in {_name(block)}"
                yield _warn(NOT_IN_SCHEMA, token, token.text, message)
        return
    token, values = _find_words(block, rest, words)
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                message = f"missing: MapServer {version} rejects a {_name(block)} without it"
                yield _warn(MISSING_IN_SCHEMA, token, key, message)
        return
    if any(value.kind in (TokenKind.EXPRESSION, TokenKind.BINDING) or "%" in value.text for value in values):
        # Computed, or replaced by a request parameter.
        return
    written = " ".join(value.text for value in values)
    message = f'"{written}" is not allowed here in MapServer {version}'
    if error.validator == "enum":
        message += f". Write one of {', '.join(str(value).upper() for value in error.validator_value)}"
    elif error.validator == "type" and isinstance(error.validator_value, str):
        message += f". Write {_KINDS.get(error.validator_value, error.validator_value)}"
    yield _warn(VALUE_NOT_IN_SCHEMA, token, token.text, message)


_KINDS = {
    "array": "several numbers",
    "number": "a number without quotes",
    "integer": "an integer without quotes",
    "string": "a string in quotes",
}


def _find_words(block: Any, path: list[Any], words: list[Token]) -> tuple[Token, list[Token]]:
    """Return the keyword at a path within a block, and its values. Without a path, returns the block's own word."""
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


def _warn(rule: Rule, token: Token, key: str, message: str) -> Finding:
    return Finding(token.file, token.line, rule, key.upper(), message)
