"""What texts of the filters look like, as regular expressions for JSON Schema.

Whatever does not match is refused; of what matches, some is refused too, for what no such expression can say: brackets
inside brackets, days that the calendar has not, the later time or the larger corner first. They are of the syntax that
ECMAScript and Python share, and are about the whole text. An empty text counts as a parameter that is absent.
"""

from __future__ import annotations

from mapsos.rest.filters.where import NAMES


def _word(text: str) -> str:
    """A word in any letter case."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in text)


def _words(*texts: str) -> str:
    return f"(?:{'|'.join(map(_word, texts))})"


def _whole(*forms: str) -> str:
    return rf"^(?:\s*|{'|'.join(forms)})$"


_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_COORDINATE = rf"\s*{_NUMBER}\s*"
SPATIAL_FILTER = _whole(rf"{_COORDINATE},{_COORDINATE}(?:,{_COORDINATE},{_COORDINATE})?", r"\s*\{[\s\S]*:[\s\S]*\}\s*")
"""Two or four numbers, or an object."""

_TIME = rf"\s*(?:[0-9]{{4}}[-+:. 0-9{''.join(sorted('TtWwZz'))}]*|{_word('now')})\s*"
_OFFSET = r"\s*(?:[Zz]?|[-+ ]?[0-9]{2}:[0-9]{2})\s*"
_RELATIONS = "|".join(
    (
        rf"{_words('equals', 'after', 'before')}\s*:{_TIME}",
        rf"{_word('during')}\s*:{_TIME},{_TIME}",
        rf"{_word('last')}\s*:\s*[0-9]{{1,18}}\s*(?:,{_OFFSET})?",
    )
)
TEMPORAL_FILTER = _whole(rf"\s*(?:{_RELATIONS})\s*", rf"\s*\{{\s*(?:{_RELATIONS})\s*\}}\s*")
"""One of the five forms, with braces around it or without."""

_TEXT = r"'(?:[^']|'')*'"
_OPERAND = rf'(?:"?{_words(*sorted(NAMES))}"?|{_NUMBER}|{_TEXT}|{_words("date", "timestamp")}\s*{_TEXT})'
_OPERATOR = rf"(?:[<>=]|!=|{_words('is', 'not', 'in', 'like', 'between')})"
_END = "[0-9A-Za-z_.'\")]"
WHERE = _whole(rf"(?:\s|\(|{_word('not')})*{_OPERAND}\s*{_OPERATOR}[\s\S]*{_END}\s*")
"""A comparison, after opening brackets, and whatever ends like one."""
