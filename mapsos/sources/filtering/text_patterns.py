"""Match strings with wildcards and regular expressions by RE2: in linear time, by characters, newlines included."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.sources.errors import SourceError
from mapsos.terms.like_patterns import meets_parts
from mapsos.terms.predicates import ANY_ONE, ANY_RUN, Wildcard

_LONGEST_PATTERN = 20_000
"""Maximum number of literal characters in a pattern that RE2 compiles within its memory for certain."""


def matches_parts(texts: pa.Array, parts: tuple[str | Wildcard, ...], match_case: bool) -> pa.Array:
    """Return whether each whole string matches the parts of a `mapsos.terms.predicates.Like`; null stays null."""
    shortest = sum(len(part) if isinstance(part, str) else part is ANY_ONE for part in parts)
    if shortest > _LONGEST_PATTERN:
        return _matches_long(texts, parts, match_case, shortest)
    return pc.match_substring_regex(texts, _expression(parts), ignore_case=not match_case)


def _expression(parts: tuple[str | Wildcard, ...]) -> str:
    written = []
    for part in parts:
        if isinstance(part, str):
            written.append(_escape(part))
        else:
            written.append("(?s:.*)" if part is ANY_RUN else "(?s:.)")
    return rf"\A{''.join(written)}\z"


def _escape(literal: str) -> str:
    """Escape a literal for RE2: every ASCII character that is not a letter or digit."""
    return "".join(
        rf"\x{{{ord(character):x}}}" if character.isascii() and not character.isalnum() else character
        for character in literal
    )


def _matches_long(texts: pa.Array, parts: tuple[str | Wildcard, ...], match_case: bool, shortest: int) -> pa.Array:
    """Match a pattern that is too long for RE2 one by one, only with strings that are long enough to match."""
    if not match_case:
        parts = tuple(part.casefold() if isinstance(part, str) else part for part in parts)
    candidates = pc.fill_null(pc.greater_equal(pc.utf8_length(texts), shortest // 3), False)
    answers: list[bool | None] = []
    for text, candidate in zip(texts.to_pylist(), candidates.to_pylist(), strict=True):
        if text is None:
            answers.append(None)
        else:
            answers.append(candidate and meets_parts(text if match_case else text.casefold(), parts))
    return pa.array(answers, pa.bool_())


def matches_expression(texts: pa.Array, expression: str, match_case: bool, layer: str) -> pa.Array:
    """Return whether the regular expression is found anywhere in each string; null stays null.

    The expression comes from the mapfile. Raises `SourceError` for one that RE2 does not support.
    """
    try:
        return pc.match_substring_regex(texts, expression, ignore_case=not match_case)
    except pa.ArrowInvalid as error:
        message = f"the regular expression in the FILTER of layer {layer} is not supported"
        raise SourceError(message, str(error)) from error


def fold_case(texts: pa.Array) -> pa.Array:
    """Return the strings by Unicode case folding; each distinct one is folded once."""
    encoded = texts.dictionary_encode()
    return pa.array(list(map(str.casefold, encoded.dictionary.to_pylist())), pa.large_string()).take(encoded.indices)
