"""Look up METADATA: namespaces, items and lists (docs/mapserver-sos.md, "Metadata")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mapsos.mapfile.blocks import Block
from mapsos.mapfile.keys import ITEM_PROPERTIES, Level, metadata_key
from mapsos.mapfile.tokens import decode
from mapsos.terms.predicates import ValueKind
from mapsos.terms.values import dataclass

_ITEM_KEY = re.compile(rf"(sos|ows|wfs|gml)_(.+)_({'|'.join(ITEM_PROPERTIES)})", re.I | re.S)
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
    """A metadata key in lower case, with its value and location. ``spelled`` is the key as written."""

    key: str
    text: str
    file: str
    line: int
    spelled: str = ""


class Metadata:
    """The METADATA of one level. If a key occurs twice, the last one counts, as in MapServer.

    Parameters
    ----------
    level
        ``web`` or ``layer``: determines the allowed namespaces of a key.
    entries
        The entries in mapfile order.
    """

    def __init__(self, level: Level, entries: Iterable[Entry]) -> None:
        self.level = level
        self.entries = {entry.key: entry for entry in entries}

    def find(self, name: str) -> Entry | None:
        """Return the entry of a key of `mapsos.mapfile.keys`, in the first namespace that has one; None if absent."""
        spellings = metadata_key(self.level, name).spellings
        return next((self.entries[key] for key in spellings if key in self.entries), None)

    def text(self, name: str) -> str | None:
        """Return the value of a key, which can be empty; None if absent."""
        entry = self.find(name)
        return entry.text if entry else None

    def pair(self, name: str) -> tuple[str | None, str | None]:
        """Return the ``sos_`` value and the ``ows_`` value of a key, each None if absent."""
        texts = [self.entries[key].text if (key := f"{space}_{name}") in self.entries else None
                 for space in ("sos", "ows")]
        return texts[0], texts[1]

    def lines(self) -> dict[str, tuple[str, int]]:
        """Return the file and line of each key."""
        return {key: (entry.file, entry.line) for key, entry in self.entries.items()}

    def item_keys(self) -> Iterator[tuple[str, str, Entry]]:
        """Yield the keys about items, each in its first namespace.

        Yields
        ------
        tuple
            The item as spelled in the key, the property in lower case (alias, definition, uom or type), and the entry.
        """
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
    """Return the kind by which filters compare a column with this ``_type``; None for an unknown type."""
    return _VALUE_KINDS.get(text.strip().lower())


def collect_entries(blocks: Iterable[Block], encoding: str | None) -> list[Entry]:
    """Return the entries of METADATA blocks in order.

    Bytes that are not UTF-8 are decoded by ``encoding``, or as Latin-1 if that fails.
    """
    return [
        Entry(
            # Letters of ENCODING have a lower case too, which the undecoded key in lower case does not show.
            spelled.lower(),
            decode(attribute.text, encoding),
            attribute.file,
            attribute.line,
            spelled,
        )
        for block in blocks
        for attribute in block.attributes
        for spelled in (decode(attribute.spelled, encoding),)
    ]


def split_list(text: str, delimiter: str) -> tuple[str, ...]:
    """Split a list as MapServer does (docs/mapserver-sos.md, "Lists").

    A run of delimiters counts as one. A delimiter at the beginning or end makes an empty first or last item. Items are
    not stripped. An empty string is one empty item.
    """
    return tuple(re.split(f"{re.escape(delimiter)}+", text))
