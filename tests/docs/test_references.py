"""References in code, tests and documents: each leads to a heading or a row of a document of this repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .markdown import ROOT, code, read, read_tables, section

MAPSERVER = read("docs/mapserver-sos.md")
COMPATIBILITY = read("docs/compatibility.md")
HEADING = re.compile(r"^#{1,6} (.+)$", re.M)

REFERENCE = re.compile(r'(docs/[\w-]+\.md), ("[^"]+"(?:(?:,| and| to|, and) "[^"]+")*)')
"""``docs/NAME.md, "Heading"``, also ``"A", "B" and "C"``."""
EXCEPTIONS = re.compile(r"exceptions? ((?:\d+(?:, | to | and )?)+) of docs/mapserver-sos\.md")
DIFFERENCE = re.compile(r"\b[BD]-\d\d[a-z]?\b")

OUTSIDE = [
    r"\breference,? (sections?|appendix)\b",
    r"\b(section|appendix) [\w.]+ of the reference\b",
    r"\bthe reference's table\b",
    r"\bDESIGN\b",
    r"\bOwsException \d",
    r"\b[Rr]aises \d",
    r"\bhouse.review\b",
]
"""References to documents that are not here, and numbers that do not name their document."""


def list_files() -> Iterator[Path]:
    """Return the texts of the repository in which references may be, except for this one."""
    folders = ("mapsos", "tests", "benchmarks", "fuzz", "docs", "data", "examples", "script")
    endings = {".py", ".pyi", ".c", ".js", ".css", ".html", ".md", ".toml", ".map", ".json", ""}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in endings and "__pycache__" not in path.parts:
                yield path
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "setup.py", "pyproject.toml"))


def join_lines(text: str) -> str:
    """Return a text as one line, without the marks that begin lines of a comment."""
    return re.sub(r"\s*\n\s*(?:# )?", " ", text)


TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in list_files() if path != Path(__file__)
}
JOINED = {name: join_lines(text) for name, text in TEXTS.items()}


def read_headings(text: str) -> list[str]:
    """Return the headings of a document, without those in fenced blocks."""
    return HEADING.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def make_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")


def test_there_are_references() -> None:
    assert sum(len(REFERENCE.findall(text)) for text in JOINED.values()) > 60
    assert sum(len(EXCEPTIONS.findall(text)) for text in JOINED.values()) > 10


@pytest.mark.parametrize("pattern", OUTSIDE)
def test_nothing_refers_to_what_is_not_here(pattern: str) -> None:
    found = [f"{name}: {match[0]}" for name, text in JOINED.items() for match in re.finditer(pattern, text)]
    assert found == []


def test_headings_are_unique() -> None:
    headings = read_headings(MAPSERVER)
    assert len(headings) == len(set(headings))


def test_references_lead_to_headings() -> None:
    lost = []
    for name, text in JOINED.items():
        for document, quoted in REFERENCE.findall(text):
            headings = read_headings(read(document)) if (ROOT / document).exists() else []
            lost += [f'{name}: {document}, "{one}"' for one in re.findall(r'"([^"]+)"', quoted) if one not in headings]
    assert lost == []


def test_differences_have_a_row_and_defects_a_heading() -> None:
    rows = {name for table in read_tables(COMPATIBILITY) for row in table for name in code(row.get("name", ""))}
    known = {name for name in rows if name.startswith("B-")} | (rows & set(read_headings(MAPSERVER)))
    used = {name for text in TEXTS.values() for name in DIFFERENCE.findall(text)}
    assert used - known == set()


def test_defects_are_the_same_in_both_documents() -> None:
    rows = [row for table in read_tables(COMPATIBILITY) for row in table if "MapServer" in row and "name" in row]
    listed = [name for row in rows for name in code(row["name"])]
    assert [heading for heading in read_headings(MAPSERVER) if DIFFERENCE.fullmatch(heading)] == listed


def test_exceptions_have_a_row() -> None:
    (table,) = read_tables(section(MAPSERVER, "Table of exceptions"))
    numbers = [row["number"] for row in table]
    assert numbers == [str(number) for number in range(1, 44)]
    lost = []
    for name, text in JOINED.items():
        for listed in EXCEPTIONS.findall(text):
            lost += [f"{name}: {number}" for number in re.findall(r"\d+", listed) if number not in numbers]
    assert lost == []


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".md")])
def test_links_lead_to_headings(name: str) -> None:
    lost = []
    for link, anchor in re.findall(r"\]\(([\w./-]*)#([^)]+)\)", TEXTS[name]):
        target = ((ROOT / name).parent / link).resolve() if link else ROOT / name
        anchors = [make_anchor(heading) for heading in read_headings(target.read_text("utf-8"))]
        lost += [f"{link}#{anchor}"] if anchor not in anchors else []
    assert lost == []
