"""Patterns of LIKE: parse a string with wildcards into the parts of a predicate, and match one string with them."""

from __future__ import annotations

from mapsos.terms.predicates import ANY_ONE, ANY_RUN, Wildcard

MAX_PATTERN = 1000
"""Maximum length of a pattern: the cost of matching grows with pattern and string."""


def split_pattern(pattern: str, any_run: str, any_one: str, escape: str) -> tuple[str | Wildcard, ...]:
    """Return the parts of a pattern whose wildcards are written ``any_run`` and ``any_one``, none of them empty.

    The character or wildcard after ``escape`` is literal; an escape at the end is itself, and an empty one escapes
    nothing. Adjacent literals are one part. An empty pattern is one empty literal.
    """
    parts: list[str | Wildcard] = []
    plain = ""
    position = 0
    while position < len(pattern):
        wildcard: Wildcard | None = None
        length = 1
        if escape and pattern.startswith(escape, position) and position + len(escape) < len(pattern):
            position += len(escape)
        elif pattern.startswith(any_run, position):
            wildcard, length = ANY_RUN, len(any_run)
        elif pattern.startswith(any_one, position):
            wildcard, length = ANY_ONE, len(any_one)
        if wildcard is None:
            plain += pattern[position]
        else:
            parts += [plain, wildcard] if plain else [wildcard]
            plain = ""
        position += length
    return tuple(parts + [plain] if plain or not parts else parts)


def meets_parts(text: str, parts: tuple[str | Wildcard, ...]) -> bool:
    """Return whether the whole string matches the parts, case-sensitively.

    Runs are matched shortest first, with backtracking to the last run only: costs at most the length of the string
    times that of the pattern.
    """
    tokens: list[str | Wildcard] = []
    for part in parts:
        tokens.extend(part if isinstance(part, str) else (part,))
    place = token = 0
    resume: tuple[int, int] | None = None
    while place < len(text):
        if token < len(tokens) and tokens[token] is ANY_RUN:
            resume = (place, token)
            token += 1
        elif token < len(tokens) and (tokens[token] is ANY_ONE or tokens[token] == text[place]):
            place, token = place + 1, token + 1
        elif resume is not None:
            resume = (resume[0] + 1, resume[1])
            place, token = resume[0], resume[1] + 1
        else:
            return False
    return all(left is ANY_RUN for left in tokens[token:])
