"""FILTER as predicates."""

from __future__ import annotations

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token, TokenKind
from mapsos.predicates import OneOf, Predicate


def read_filter(token: Token, item: str | None, layer: str) -> Predicate:
    """Read a FILTER."""
    if token.kind is TokenKind.STRING and item:
        return OneOf(item, (token.text,), not token.ignore_case)
    raise MapfileError(token.file, token.line, f'LAYER "{layer}": FILTER {token.text} is not understood')
