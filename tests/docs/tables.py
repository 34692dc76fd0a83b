"""The tables of the documents that are made from tables of the program.

``python -m tests.docs.tables`` writes them anew, between ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mapsos.config.options import OPTIONS
from mapsos.mapfile.blocks import parse_blocks
from mapsos.mapfile.keys import METADATA_KEYS, Level
from mapsos.mapfile.reader import layer_metadata, web_metadata
from mapsos.mapfile.tokens import read_tokens

from .manual import write_manual
from .markdown import ROOT, read

EVERY_KEY = str(ROOT / "examples" / "mapfiles" / "every-key.map")


def write_options() -> str:
    """Every option of the configuration file and the environment."""
    rows = [
        (f"`{option.name}`", option.meaning, option.allowed, f"`{option.default}`" if option.default else "")
        for option in OPTIONS
    ]
    return _write(("option", "meaning", "allowed", "default"), rows)


def write_keys(level: Level) -> str:
    """The metadata keys of a level, each with the example of every-key.map."""
    examples = _read_examples(level)
    rows = []
    for key in METADATA_KEYS:
        if key.level == level:
            spaces = ", ".join(f"`{namespace}_`" for namespace in key.namespaces)
            spelled, text = examples[key.name.lower()]
            rows.append((f"`{key.pattern}`", spaces, key.need, key.meaning, key.default, f'`"{spelled}" "{text}"`'))
    return _write(("key", "prefixes", "need", "meaning", "default", "example"), rows)


def _read_examples(level: Level) -> dict[str, tuple[str, str]]:
    tree = parse_blocks(read_tokens(EVERY_KEY)[0], EVERY_KEY)
    metadata = web_metadata(tree) if level == "web" else layer_metadata(next(tree.inner("layer")), None)
    if level == "item":
        return {what: (entry.spelled, entry.text) for _, what, entry in metadata.item_keys()}
    found = {key.name.lower(): metadata.find(key.name) for key in METADATA_KEYS if key.level == level}
    return {name: (entry.spelled, entry.text) for name, entry in found.items() if entry is not None}


def _write(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [names, tuple("---" for _ in names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def write_differences() -> str:
    """The deliberate differences that the tests beside MapServer know, without the defects."""
    # Only here: the tables of the program do not depend on tests.
    from tests.peers.differences import DIFFERENCES

    rows = [
        (f"`{name}`", found.line, f"`-k {name.replace('-', '_')}`")
        for name, found in DIFFERENCES.items()
        if name.startswith("B-")
    ]
    return _write(("name", "mapsos", "how to see it"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "options": write_options,
    "web": lambda: write_keys("web"),
    "layer": lambda: write_keys("layer"),
    "item": lambda: write_keys("item"),
    "differences": write_differences,
}


def fill(text: str) -> str:
    """The text of a document with its tables as they are now."""
    return re.sub(
        r"(<!-- table: (\w+) -->\n).*?(?=<!-- end -->)",
        lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n",
        text,
        flags=re.S,
    )



if __name__ == "__main__":
    for document in ("docs/metadata.md", "docs/settings.md", "docs/compatibility.md"):
        (ROOT / document).write_text(fill(read(document)), "utf-8")
    (ROOT / "docs" / "mapsos.1").write_text(write_manual(), "utf-8")
