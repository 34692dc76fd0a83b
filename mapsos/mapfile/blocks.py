"""The blocks of a mapfile as a tree: MAP, WEB, LAYER, METADATA, PROJECTION and what stands in them.

mappyfile's grammar decides what belongs to what. It is handed a plain form of the map, made from MapServer's words:
one word a line (so that a position in the tree leads back to the word, its file and its line), text in double quotes,
and without the blocks that only drawing needs (CLASS, STYLE, LABEL, SYMBOL, LEGEND ...): they cost the most to parse,
hold the oddest spellings, and say nothing about observations.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token, TokenKind

if TYPE_CHECKING:
    from mappyfile.parser import Parser

_Tree: TypeAlias = Any
"""lark's Tree, whose children are trees and tokens at once: its types say too little to be of use."""

_OPENERS: dict[str, frozenset[str]] = {
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
_KEYWORDS = frozenset(
    (
        "angle browseformat classgroup classitem cluster config connection connectionoptions connectiontype data "
        "datapattern debug defresolution dump empty encoding error extent filter filteritem fontset footer "
        "geomtransform grid group header identify imagecolor imagepath imagequality imagetype imageurl interlace "
        "labelangleitem labelcache labelitem labelmaxscale labelmaxscaledenom labelminscale labelminscaledenom "
        "labelrequires labelsizeitem legend legendformat log mask maxfeatures maxgeowidth maxscale maxscaledenom "
        "maxsize maxtemplate metadata minfeaturesize mingeowidth minscale minscaledenom mintemplate name offsite "
        "opacity plugin postlabelcache processing projection queryformat querymap reference requires resolution "
        "scalebar scaledenom shapepath size sizeunits status styleitem symbolscaledenom symbolset template "
        "templatepattern temppath tileindex tileitem tilesrs tolerance toleranceunits transform transparency "
        "transparent type units utfdata utfitem validation web "
    ).split()
)
"""The keywords of MAP, WEB and LAYER: MapServer stops at any other word there, and so must whoever reads its maps."""

_PAIRS = frozenset(("metadata", "validation", "connectionoptions"))
_KEPT = _PAIRS | {"map", "web", "layer", "projection", "feature", "points", "cluster", "join"}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNPRINTABLE = re.compile(r"[\s\"\\\ud800-\udfff]")


@dataclass(frozen=True)
class Attribute:
    """A keyword with its values, or a key and value of METADATA: ``key`` is in lower case, ``spelled`` as written."""

    key: str
    values: tuple[Token, ...]
    file: str
    line: int
    spelled: str = ""

    @property
    def text(self) -> str:
        """The first value's text; empty if there is none."""
        return self.values[0].text if self.values else ""


@dataclass
class Block:
    """A block with its attributes and inner blocks in the order of the mapfile. ``name`` is in lower case."""

    name: str
    file: str
    line: int
    attributes: list[Attribute] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def last(self, key: str) -> Attribute | None:
        """The attribute of this key that counts: the last one."""
        return next((item for item in reversed(self.attributes) if item.key == key), None)

    def text(self, key: str) -> str | None:
        """The text of the attribute, None if it is absent."""
        found = self.last(key)
        return found.text if found else None

    def inner(self, name: str) -> Iterator[Block]:
        """The inner blocks of that name."""
        return (block for block in self.blocks if block.name == name)


def parse_blocks(tokens: Iterable[Token], file: str) -> Block:
    """Parse the words of a map into its MAP block.

    Costs the import of mappyfile and about 0.2 s for its grammar at first use, then about 1 ms per 20 lines.

    Raises
    ------
    MapfileError
        A block without END, END without block, a keyword without value, no MAP.
    """
    plain = list(_plain(tokens, file))
    if not plain or plain[0][0] != "MAP":
        raise MapfileError(file, plain[0][1].line if plain else 1, "the file has no MAP ... END")
    kept = [token for _, token in plain]
    return _block(_parse("\n".join(text for text, _ in plain), kept).children[0], kept)


def _plain(tokens: Iterable[Token], file: str) -> Iterator[tuple[str, Token]]:
    """The words that are kept, each with how mappyfile shall read it."""
    opened: list[tuple[str, Token, bool]] = []
    stream = iter(tokens)
    for token in stream:
        context, _, kept = opened[-1] if opened else ("", token, True)
        word = token.text.lower() if token.kind is TokenKind.WORD else ""
        if word == "end":
            if not opened:
                raise MapfileError(token.file, token.line, "END without a block that it could end", near=token.text)
            opened.pop()
            if kept:
                yield "END", token
            if not opened:
                return
        elif word in _OPENERS.get(context, ()):
            opened.append((word, token, kept and word in _KEPT))
            if opened[-1][2]:
                yield word.upper(), token
        elif not opened:
            raise MapfileError(token.file, token.line, f"a mapfile begins with MAP, not {token.text}", near=token.text)
        elif context in _PAIRS or context in ("projection", "points", "pattern"):
            if kept:
                yield _value(token, context), token
        else:
            yield from _attribute(token, stream, kept, context)
    if opened:
        name, token, _ = opened[-1]
        raise MapfileError(
            token.file, token.line, f"{name.upper()} is not ended: END is missing", near=token.text, unended=True
        )


def _attribute(token: Token, stream: Iterator[Token], kept: bool, context: str) -> Iterator[tuple[str, Token]]:
    key = token.text.lower()
    if not kept:
        return
    if token.kind is TokenKind.WORD and _NUMBER.fullmatch(key):
        yield "1", token
        return
    known = context not in ("map", "web", "layer") or key in _KEYWORDS
    if token.kind is not TokenKind.WORD or not _PLAIN_WORD.fullmatch(key) or not known:
        raise MapfileError(token.file, token.line, f"{token.text} is no keyword of a mapfile", near=token.text)
    yield key.upper(), token
    for _ in range(2 if key == "config" else 1):
        value = next(stream, None)
        if value is None or value.is_word("end"):
            raise MapfileError(token.file, token.line, f"{key.upper()} has no value", near=token.text)
        yield _value(value, ""), value


def _value(token: Token, context: str) -> str:
    if context not in _PAIRS and token.kind is TokenKind.WORD and _NUMBER.fullmatch(token.text):
        return "1"
    return '"' + _UNPRINTABLE.sub(" ", token.text) + ' "'


_parser: Parser | None = None


def _parse(text: str, tokens: list[Token]) -> _Tree:
    import lark
    from mappyfile.parser import Parser

    global _parser
    if _parser is None:
        # It logs what it raises, and in terms of the plain form at that.
        logging.getLogger("mappyfile").setLevel(logging.CRITICAL)
        _parser = Parser(expand_includes=False)
    try:
        tree: _Tree = _parser.parse(text)
    except lark.exceptions.UnexpectedInput as error:
        line = getattr(error, "line", -1)
        token = tokens[min(max(line, 1), len(tokens)) - 1]
        raise MapfileError(token.file, token.line, f"{token.text} cannot stand here", near=token.text) from error
    return tree


def _block(node: _Tree, tokens: list[Token]) -> Block:
    """Turn a node of mappyfile's tree into a block: a word's line number is its place among ``tokens``."""
    first = _words(node, tokens)[0]
    block = Block(first.text.lower(), first.file, first.line)
    if node.data == "composite" and node.children[0].data in _PAIRS:
        node = node.children[0]
    if node.data in _PAIRS:
        for pair in node.children[1:-1]:
            key, value = _words(pair, tokens)
            block.attributes.append(Attribute(key.text.lower(), (value,), key.file, key.line, key.text))
        return block
    for child in node.children[1].children if len(node.children) > 1 else ():
        if child.data == "composite" or child.data in _PAIRS:
            block.blocks.append(_block(child, tokens))
        else:
            key, *values = _words(child, tokens)
            if child.data in ("projection", "points"):
                values.pop()
            block.attributes.append(Attribute(key.text.lower(), tuple(values), key.file, key.line, key.text))
    return block


def _words(node: _Tree, tokens: list[Token]) -> list[Token]:
    return [tokens[word.line - 1] for word in node.scan_values(lambda value: hasattr(value, "line"))]
