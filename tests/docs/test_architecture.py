"""docs/architecture.md beside the package: every module on its floor, every import downwards, every dependency."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mapsos

from .markdown import ROOT, code, read, read_tables

TEXT = read("docs/architecture.md")
PACKAGE = Path(mapsos.__file__).parent


def read_floors() -> dict[str, int]:
    """The floor of each module that the document lists, by the module's path in the package without ending."""
    found: dict[str, int] = {}
    for floor, text in re.findall(r"^### Floor (\d): [^\n]*\n(.*?)(?=^#{2,3} )", TEXT, re.M | re.S):
        for table in read_tables(text):
            for row in table:
                (name,) = code(row["module"])
                assert name not in found, f"{name} is there twice"
                found[name] = int(floor)
    return found


FLOORS = read_floors()
ROOMS = {name.split("/")[0]: floor for name, floor in FLOORS.items() if "/" in name}
MODULES = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


def floor_of(module: str) -> int:
    """The floor of a module; that of a folder's own module is the folder's, that of the package's is the lowest."""
    room, _, name = module.rpartition("/")
    if name == "__init__":
        return ROOMS[room] if room else 1
    return FLOORS[module]


def list_imports(module: str) -> Iterator[str]:
    """The modules of the package that a module imports, wherever it does, also by a name in a text."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "mapsos")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mapsos":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
        elif isinstance(node, ast.Constant) and re.fullmatch(r"mapsos(\.\w+)+(:\w+)?", str(node.value)):
            # A module that is imported by name.
            yield str(node.value).partition(":")[0]


def find_module(name: str) -> str | None:
    """The path of a module of the package by its dotted name, or by that of something in it."""
    parts = name.split(".")[1:]
    while parts:
        path = "/".join(parts)
        if path in MODULES:
            return path
        if f"{path}/__init__" in MODULES:
            return f"{path}/__init__"
        parts.pop()
    return "__init__"


def test_every_module_is_there() -> None:
    listed = {*FLOORS, *(f"{room}/__init__" for room in ROOMS), "__init__"}
    assert listed == set(MODULES)


def test_there_are_seven_floors() -> None:
    assert set(FLOORS.values()) == {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards(module: str) -> None:
    room = module.rpartition("/")[0]
    for name in list_imports(module):
        target = find_module(name)
        assert target is not None
        own, other = floor_of(module), floor_of(target)
        other_room = target.rpartition("/")[0]
        assert other <= own, f"{module} (floor {own}) imports {target} (floor {other})"
        if other == own and room and other_room:
            assert room == other_room, f"{module} imports {target}, a room on its floor"


def test_an_import_upwards_would_be_found() -> None:
    assert "mapsos.sos.v1.get_observation" in set(list_imports("app"))
    assert floor_of("app") > floor_of("operations/get_observation") > floor_of("sources/layers") > floor_of("times")


def test_dependencies_are_those_of_the_package() -> None:
    (table,) = [table for table in read_tables(TEXT) if "package" in table[0]]
    listed = {code(row["package"])[0] for row in table if row["from"].startswith("PyPI")}
    required = re.search(r"install_requires=\[(.*?)\]", (ROOT / "setup.py").read_text("utf-8"), re.S)
    assert required
    assert listed == {re.split(r"\W", name)[0] for name in re.findall(r'"([^"]+)"', required[1])}


def test_what_is_imported_is_listed() -> None:
    (table,) = [table for table in read_tables(TEXT) if "package" in table[0]]
    listed = {name for row in table for name in code(row["package"])}
    own = {"mapsos", *sys.stdlib_module_names}
    # What comes with a package that is listed.
    inner = {"lark", "_typeshed"}
    for module in MODULES:
        tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.split(".")[0] for name in names} - own - inner <= listed, module
