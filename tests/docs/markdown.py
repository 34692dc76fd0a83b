"""Reading the documents: their fenced blocks, their tables, and what they name in code style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = (
    "README.md",
    "docs/metadata.md",
    "docs/operations.md",
    "docs/settings.md",
    "docs/init.md",
    "docs/compatibility.md",
    "docs/architecture.md",
)
"""The documents whose examples are run; docs/performance.md is about hours of measuring."""


@dataclass(frozen=True)
class Example:
    """A fenced block: its language, the other words of its first line, its text, and the line where it begins."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    def option(self, name: str) -> str | None:
        """The value of a word such as ``exit=2``."""
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)

    @property
    def file(self) -> str | None:
        """The name of the file that the block is, if it is one."""
        return next((word for word in self.words if "=" not in word), None)


def read(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def read_examples(text: str) -> Iterator[Example]:
    """The fenced blocks of a document, in order."""
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.M | re.S):
        yield Example(match[1], tuple(match[2].split()), match[3], text[: match.start()].count("\n") + 1)


def read_tables(text: str) -> Iterator[list[dict[str, str]]]:
    """The tables of a document, each row by the names of its columns."""
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.M):
        lines = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in block.splitlines()]
        names = [cell.strip("| ") for cell in lines[0]]
        yield [dict(zip(names, (cell.strip("| ") for cell in cells), strict=True)) for cells in lines[2:]]


def code(cell: str) -> list[str]:
    """What stands in code style in a text."""
    return re.findall(r"`([^`]+)`", cell)


def section(text: str, heading: str) -> str:
    """The part of a document under a heading, up to the next one of its level or above."""
    match = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,6}} |\Z)", text, re.M | re.S)
    assert match, heading
    level = len(match[1])
    rest = text[match.start(2) :]
    end = re.search(rf"^#{{1,{level}}} ", rest, re.M)
    return rest[: end.start()] if end else rest
