"""Parse the words of a mapfile into a tree of blocks: MAP, WEB, LAYER, METADATA, PROJECTION and their contents.

Blocks that are only used for drawing (CLASS, STYLE, LABEL, SYMBOL, LEGEND ...) are skipped up to their END: they have
the most irregular syntax and contain nothing about observations.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mapsos.mapfile.errors import Fault, MapfileError
from mapsos.mapfile.tokens import Token, TokenKind
from mapsos.terms.predicates import DECIMAL

OPENERS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "": "map symbolset layerset",
        "map": "layer legend metadata outputformat projection querymap reference scalebar symbol validation web",
        "web": "metadata validation",
        "layer": "class cluster composite connectionoptions feature grid identify join label metadata projection "
        "scaletoken validation",
        "feature": "points",
        "class": "label leader metadata style validation",
        "label": "style leader",
        "leader": "style",
        "style": "pattern",
        "symbol": "points style pattern",
        "symbolset": "symbol",
        "layerset": "layer",
        "legend": "label",
        "scalebar": "label",
        "scaletoken": "values",
        "join": "connectionoptions",
    }.items()
}
"""The blocks that can begin within each block; "" is the file itself."""

KEYWORDS = frozenset(
    (
        "angle browseformat classgroup classitem cluster config connection connectionoptions connectiontype data "
        "datapattern debug defresolution dump empty encoding error extent filter filteritem fontset footer "
        "geomtransform grid group header identify imagecolor imagepath imagequality imagetype imageurl interlace "
        "labelangleitem labelcache labelitem labelmaxscale labelmaxscaledenom labelminscale labelminscaledenom "
        "labelrequires labelsizeitem latlon legend legendformat log mask maxfeatures maxgeowidth maxscale "
        "maxscaledenom maxsize maxtemplate metadata minfeaturesize mingeowidth minscale minscaledenom mintemplate "
        "name offsite opacity plugin postlabelcache processing projection queryformat querymap reference requires "
        "resolution scale scalebar scaledenom shapepath size sizeunits status styleitem symbolscale symbolscaledenom "
        "symbolset template templatepattern temppath tileindex tileitem tilesrs tolerance toleranceunits transform "
        "transparency transparent type units utfdata utfitem validation web"
    ).split()
)
"""The keywords of MAP, WEB and LAYER. Any other word there is an error, as in MapServer."""

PAIRS = frozenset(("metadata", "validation", "connectionoptions"))
"""The blocks of key and value pairs whose keys are not keywords."""

_KEPT = PAIRS | {"map", "web", "layer", "projection", "feature", "points", "cluster", "join"}
_INNER: frozenset[str] = frozenset().union(*(names for name, names in OPENERS.items() if name))
"""Words that can only begin a block. They are not keywords where that block is not allowed."""

_NUMBER = re.compile(DECIMAL)
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBERS_OF_A_KEYWORD = frozenset((1, 2, 3, 4, 6))
"""The numbers of values that a keyword can have: a single value, a pair, a color, an extent, a range of colors."""


@dataclass(frozen=True)
class Attribute:
    """A keyword and its values, or a key and value of METADATA. ``key`` is in lower case, ``spelled`` as written."""

    key: str
    values: tuple[Token, ...]
    file: str
    line: int
    spelled: str

    @property
    def text(self) -> str:
        """Return the text of the first value, empty without values."""
        return self.values[0].text if self.values else ""


@dataclass
class Block:
    """A block with its attributes and inner blocks in mapfile order. ``name`` is in lower case."""

    name: str
    file: str
    line: int
    attributes: list[Attribute] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def last(self, key: str) -> Attribute | None:
        """Return the last attribute with a key, which is the one that counts; None if absent."""
        return next((item for item in reversed(self.attributes) if item.key == key), None)

    def text(self, key: str) -> str | None:
        """Return the text of the last attribute with a key, None if absent."""
        found = self.last(key)
        return found.text if found else None

    def inner(self, name: str) -> Iterator[Block]:
        """Return the inner blocks with a name."""
        return (block for block in self.blocks if block.name == name)


class _Words(Iterator[Token]):
    """Iterator over the words of a map. ``here`` is the word returned last.

    Nothing is read beyond the words that are needed: the text after the END of MAP can be anything.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = iter(tokens)
        self._looked_at: list[Token] = []
        self.here: Token | None = None

    @property
    def ahead(self) -> Token | None:
        """Return the next word, None at the end."""
        if not self._looked_at:
            self._looked_at.extend(itertools.islice(self._tokens, 1))
        return self._looked_at[0] if self._looked_at else None

    def __next__(self) -> Token:
        self.here = self._looked_at.pop() if self._looked_at else next(self._tokens)
        return self.here

    def until_end(self, opener: Token) -> Iterator[Token]:
        """Yield the words up to the END of the block that ``opener`` begins. END itself is then ``here``."""
        for token in self:
            if token.is_word("end"):
                return
            yield token
        name = opener.text.upper()
        raise MapfileError(
            opener.file, opener.line, f"END of {name} is missing", fault="end", near=opener.text, unended=True
        )


def parse_blocks(tokens: Iterable[Token], file: str) -> Block:
    """Parse the words of a map into its MAP block. Words after its END are ignored.

    Parameters
    ----------
    tokens
        The words of the mapfile and its INCLUDEs.
    file
        The mapfile, for the message if MAP is missing.

    Raises
    ------
    MapfileError
        A block without END, an END without a block, an unknown or misplaced keyword, a keyword without a value, or a
        file without MAP.
    """
    words = _Words(tokens)
    for token in words:
        if token.is_word("map"):
            return _read_block(token, words)
        if token.is_word("end"):
            raise MapfileError(token.file, token.line, "END without a block", fault="end", near=token.text)
        if not token.is_word(*OPENERS[""]):
            raise MapfileError(token.file, token.line, f"expected MAP, got {token.text}", fault="map", near=token.text)
        _skip_block(token, words)
        break
    raise MapfileError(file, 1, "MAP ... END is missing", fault="map")


def _read_block(opener: Token, words: _Words) -> Block:
    # OPENERS limits how deep blocks nest, so no mapfile can exhaust the stack.
    block = Block(opener.text.lower(), opener.file, opener.line)
    openers = OPENERS.get(block.name, ())
    for token in words.until_end(opener):
        name = token.text.lower()
        if not token.is_word(*openers):
            block.attributes.append(_read_attribute(token, words, block.name))
        elif name not in _KEPT:
            _skip_block(token, words)
        elif name in PAIRS:
            block.blocks.append(_read_pairs(token, words))
        elif name in ("projection", "points"):
            block.attributes.append(_read_list(token, words, numbers=name == "points"))
        else:
            block.blocks.append(_read_block(token, words))
    return block


def _skip_block(opener: Token, words: _Words) -> None:
    openers = OPENERS.get(opener.text.lower(), ())
    for token in words.until_end(opener):
        if token.is_word(*openers):
            _skip_block(token, words)


def _read_pairs(opener: Token, words: _Words) -> Block:
    block = Block(opener.text.lower(), opener.file, opener.line)
    inside = words.until_end(opener)
    for key in inside:
        value = next(inside, None)
        if value is None:
            raise _misplaced(words.here or key, fault="pairs")
        block.attributes.append(_make_attribute(key, value))
    return block


def _read_list(opener: Token, words: _Words, *, numbers: bool) -> Attribute:
    """Read the words of PROJECTION, none of which is a number, or the pairs of numbers of POINTS."""
    values = []
    for token in words.until_end(opener):
        if is_number(token) != numbers:
            raise _misplaced(token)
        values.append(token)
    if numbers and len(values) % 2:
        raise _misplaced(words.here or opener)
    return _make_attribute(opener, *values)


def _read_attribute(token: Token, words: _Words, context: str) -> Attribute:
    key = token.text.lower()
    if is_number(token):
        raise _misplaced(token)
    known = context not in ("map", "web", "layer") or key in KEYWORDS
    if token.kind is not TokenKind.WORD or not _PLAIN_WORD.fullmatch(key) or not known:
        raise MapfileError(token.file, token.line, f"unknown keyword {token.text}", fault="keyword", near=token.text)
    if key in _INNER:
        raise _misplaced(token)
    values: list[Token] = []
    for _ in range(2 if key == "config" else 1):
        if words.ahead is None or words.ahead.is_word("end"):
            raise MapfileError(token.file, token.line, f"{key.upper()} has no value", near=token.text)
        values.append(next(words))
    while key != "config" and is_number(values[-1]) and words.ahead is not None and is_number(words.ahead):
        values.append(next(words))
    if len(values) not in _NUMBERS_OF_A_KEYWORD:
        raise _misplaced(values[6] if len(values) > 6 else words.ahead or values[-1])
    return _make_attribute(token, *values)


def _make_attribute(key: Token, *values: Token) -> Attribute:
    return Attribute(key.text.lower(), values, key.file, key.line, key.text)


def is_number(token: Token) -> bool:
    """Return whether a word is an unquoted number."""
    return token.kind is TokenKind.WORD and _NUMBER.fullmatch(token.text) is not None


def _misplaced(token: Token, fault: Fault = "place") -> MapfileError:
    return MapfileError(token.file, token.line, f"{token.text} is not allowed here", fault=fault, near=token.text)
