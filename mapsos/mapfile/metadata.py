"""Looking up METADATA: namespaces, items and lists (docs/mapserver-sos.md, "Metadata")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mapsos.mapfile.blocks import Block
from mapsos.mapfile.keys import Level, metadata_key
from mapsos.mapfile.tokens import decode
from mapsos.terms.predicates import ValueKind

_ITEM_KEY = re.compile(r"(sos|ows|wfs|gml)_(.+)_(alias|definition|uom|type)", re.I | re.S)
_VALUE_KINDS: dict[str, ValueKind] = {
    "character": "text",
    "string": "text",
    "date": "time",
    "time": "time",
    "datetime": "time",
    "integer": "number",
    "long": "number",
    "real": "number",
    "double": "number",
}


@dataclass(frozen=True)
class Entry:
    """A key (lower case) with its text and where it stands; ``spelled`` is the key as written."""

    key: str
    text: str
    file: str
    line: int
    spelled: str = ""


class Metadata:
    """The METADATA of one level. Of a key that is there twice the last counts, as in MapServer.

    Parameters
    ----------
    level
        ``web`` or ``layer``: decides which namespaces a key may have.
    entries
        In the order of the mapfile.
    """

    def __init__(self, level: Level, entries: Iterable[Entry]) -> None:
        self.level = level
        self.entries = {entry.key: entry for entry in entries}

    def find(self, name: str) -> Entry | None:
        """The entry of a key of `mapsos.mapfile.keys`, tried in its namespaces in their order."""
        spellings = metadata_key(self.level, name).spellings
        return next((self.entries[key] for key in spellings if key in self.entries), None)

    def text(self, name: str) -> str | None:
        """The text of a key, None if absent; an empty text is there."""
        entry = self.find(name)
        return entry.text if entry else None

    def pair(self, name: str) -> tuple[str | None, str | None]:
        """The ``sos_`` text and the ``ows_`` text, for what looks at both."""
        texts = [self.entries[key].text if (key := f"{space}_{name}") in self.entries else None
                 for space in ("sos", "ows")]
        return texts[0], texts[1]

    def lines(self) -> dict[str, tuple[str, int]]:
        """Where each key stands: file and line."""
        return {key: (entry.file, entry.line) for key, entry in self.entries.items()}

    def item_keys(self) -> Iterator[tuple[str, str, Entry]]:
        """What is said of items: item as spelled, what (alias, definition, uom, type), entry; best namespace only."""
        found: dict[tuple[str, str], tuple[int, str, Entry]] = {}
        for entry in self.entries.values():
            if match := _ITEM_KEY.fullmatch(entry.spelled or entry.key):
                namespace, item, what = match[1].lower(), match[2], match[3].lower()
                namespaces = metadata_key("item", what).namespaces
                if namespace not in namespaces:
                    continue
                rank = namespaces.index(namespace)
                known = found.get((item.lower(), what))
                if known is None or rank < known[0]:
                    found[item.lower(), what] = (rank, item, entry)
        for (_, what), (_, item, entry) in found.items():
            yield item, what, entry


def value_kind(text: str) -> ValueKind | None:
    """How the text of an ``_type`` key has filters compare; None if it says nothing of it."""
    return _VALUE_KINDS.get(text.strip().lower())


def collect_entries(blocks: Iterable[Block], encoding: str | None) -> list[Entry]:
    """The entries of METADATA blocks in order, text that was not UTF-8 decoded as ``encoding`` or Latin-1."""
    return [
        Entry(
            decode(attribute.key, encoding),
            decode(attribute.text, encoding),
            attribute.file,
            attribute.line,
            decode(attribute.spelled, encoding),
        )
        for block in blocks
        for attribute in block.attributes
    ]


def split_list(text: str, delimiter: str) -> tuple[str, ...]:
    """Split a list as MapServer does (docs/mapserver-sos.md, "Lists").

    Runs of the delimiter count once; one at the beginning or end gives an empty first or last item; nothing is
    stripped. An empty text is one empty item.
    """
    return tuple(re.split(f"{re.escape(delimiter)}+", text))
