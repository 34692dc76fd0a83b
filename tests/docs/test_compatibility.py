"""docs/compatibility.md beside the tests that show what it says."""

from __future__ import annotations

import ast

import pytest

from tests.peers.differences import DIFFERENCES

from .markdown import ROOT, code, read, read_tables, section
from .tables import fill

TEXT = read("docs/compatibility.md")
(DEFECTS,) = read_tables(section(TEXT, "Defects of MapServer 8.0"))


def test_the_table_of_differences_is_that_of_the_tests() -> None:
    assert fill(TEXT) == TEXT, "write it anew: python -m tests.docs.tables"


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_difference_is_there(name: str) -> None:
    rows = [row for table in read_tables(TEXT) for row in table if code(row.get("name", "")) == [name]]
    assert len(rows) == 1
    assert all(rows[0].values())


def test_defects_are_those_of_the_tests() -> None:
    assert [code(row["name"]) for row in DEFECTS] == [[name] for name in DIFFERENCES if name.startswith("D-")]


@pytest.mark.parametrize("row", DEFECTS, ids=lambda row: code(row["name"])[0])
def test_each_defect_is_seen_by_all_its_tests(row: dict[str, str]) -> None:
    tree = ast.parse((ROOT / "tests" / "peers" / "test_defects.py").read_text("utf-8"))
    tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    beginning = f"test_{code(row['name'])[0].lower().replace('-', '_')}_"
    assert code(row["how to see it"]) == [name for name in tests if name.startswith(beginning)]
