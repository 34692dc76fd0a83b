"""The house: every module in its room, every import downwards, no circle, every threshold and dependency listed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import mapsos
from mapsos.encodings.registry import FORMATS

from .markdown import ROOT, code, read, read_tables

TEXT = read("docs/architecture.md")
PACKAGE = Path(mapsos.__file__).parent
MOST_MODULES, MOST_LINES, MOST_THRESHOLDS = 14, 400, 40

FLOORS = {
    "terms": 1, "files": 1,
    "columns": 2, "web": 2, "config": 2,
    "mapfile": 3, "ows": 3, "access": 3,
    "sources": 4, "encodings": 4,
    "operations": 5,
    "sos/v1": 6, "rest": 6, "pages": 6,
    "app": 7, "check": 7,
    "command": 8, "servers": 8,
    "__main__": 9, "wsgi": 9, "asgi": 9,
}  # fmt: skip
"""The floor of each room, and of each module at the top of the package."""

BESIDE = {("pages", "rest"), ("command", "servers"), ("check", "pages")}
"""Rooms that may import another one on their floor."""

REGISTRY = "mapsos.encodings.registry"
"""Its rows name the modules of encoders. The rows are the list of these imports: they are not thresholds as well."""

THRESHOLDS: dict[str, str] = {
    # A CGI process that hands its request over to the worker imports only `client`, whose modules import built-ins.
    "mapsos.__main__ -> mapsos.command.cli": "13 ms of every CGI request",
    "mapsos.__main__ -> mapsos.servers.resident.client": "3 ms of every command",
    "mapsos.__main__ -> mapsos.servers.one_shot": "1 ms where the worker answers",
    "mapsos.__main__ -> mapsos.servers.cgi": "160 ms where the worker answers",
    "mapsos.__main__ -> mapsos.servers.resident.launch": "3 ms where the worker answers, or is switched off",
    # The command line: each command imports what it needs, and --help, --version and wrong arguments nothing heavy.
    "mapsos.command.cli -> mapsos.command.serve": "190 ms of all other commands",
    "mapsos.command.cli -> mapsos.command.get": "150 ms of --help and of all other commands",
    "mapsos.command.cli -> mapsos.command.init": "30 ms of all other commands",
    "mapsos.command.check -> mapsos.check.report": "150 ms of all other commands, of help and completion too",
    # prometheus-client, where metrics are off.
    "mapsos.servers.status -> mapsos.servers.counting": "70 ms of each process of a WSGI server",
    # sources
    "mapsos.sources.layer -> mapsos.sources.layer_rows":
        "150 ms (numpy, pyarrow) where facts of the data source answer, or columns alone",
    "mapsos.sources.open_reader -> mapsos.sources.drivers.inline": "2 ms for every other source",
    "mapsos.sources.open_reader -> mapsos.sources.drivers.shapefiles": "2 ms for every other source",
    "mapsos.sources.open_reader -> mapsos.sources.drivers.flatgeobuf": "2 ms for every other file",
    "mapsos.sources.open_reader -> mapsos.sources.drivers.postgres.postgis": "5 ms for files",
    "mapsos.sources.open_reader -> mapsos.sources.indexes.postgresql_facts": "4 ms where only the rows are needed",
    "mapsos.sources.open_reader -> mapsos.sources.indexes.sqlite_facts": (
        "2 ms where only the columns or rows of a layer are needed"
    ),
    "mapsos.sources.indexes.sqlite_facts -> mapsos.sources.indexes.row_counts":
        "150 ms (numpy, pyarrow) where no rows are counted",
    "mapsos.sources.open_reader -> mapsos.sources.drivers.vrt": "62 ms (GDAL) for points of shapefiles, and FEATURE",
    "mapsos.sources.source_columns -> mapsos.columns.driver_values":
        "152 ms (numpy, pyarrow) where a layer is opened and not read",
    # mapfile: a process that finds the compiled form of its map does not need the parser.
    "mapsos.mapfile.catalog -> mapsos.mapfile.reader": "20 ms of a CGI start: the parser of mapfiles",
    # Each operation of SOS imports what it needs: in milliseconds of processor time, without numpy and pyarrow.
    "mapsos.sos.v1.operations -> mapsos.sos.v1.get_capabilities": "23 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.describe_sensor": "12 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.describe_observation_type": "10 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.describe_feature_type": "12 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.get_feature_of_interest": "31 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.get_observation": "19 ms for other operations",
    "mapsos.sos.v1.operations -> mapsos.sos.v1.get_data_availability": "23 ms for other operations",
    "mapsos.sos.v1.interface -> mapsos.sos.v1.reading.xml_bodies": "3 ms, and 29 ms of lxml, for requests by GET",
    # DescribeSensor by a redirect or a file needs neither the data nor SensorML.
    "mapsos.operations.describe_sensors -> mapsos.operations.sensors.descriptions": (
        "26 ms, and lxml, for redirects and files"
    ),
    # Requests that are answered without data: redirects, cached facts, and resources of REST without observations.
    "mapsos.operations.layers.open_layers -> mapsos.sources.layer": (
        "8 ms, and numpy and pyarrow, where facts are cached"
    ),
    "mapsos.operations.observe -> mapsos.operations.observations.aggregates": (
        "13 ms, and numpy and pyarrow, without aggregateInterval and for REST"
    ),
    "mapsos.rest.resource -> mapsos.rest.resources.observations": (
        "12 ms, and numpy and pyarrow, for other resources"
    ),
    # Interfaces: a request for one does not pay for the others.
    "mapsos.rest.interface -> mapsos.rest.answer": "26 ms for SOS",
    "mapsos.pages.interface -> mapsos.pages.answer": "17 ms for JSON, 43 ms for SOS",
    "mapsos.command.cli -> mapsos.command.keys.run": "11 ms (sqlite3) of all other commands, of help too",
    "mapsos.pages.interface -> mapsos.pages.key_page": "6 ms (sqlite3) for all other pages, 28 ms for SOS",
    # Keys, where MAPSOS_KEYS is set.
    "mapsos.operations.host -> mapsos.access.gate": "9 ms, and sqlite3, where keys are not used",
    "mapsos.access.store -> mapsos.access.databases.postgresql_database": "130 ms (psycopg) where keys are in a file",
    # What only a write forgets.
    "mapsos.operations.host -> mapsos.operations.forgetting": "12 ms for requests that need no data",
}  # fmt: skip
"""The imports of our own inside functions, as ``module -> module``, with what each saves."""


class Import(NamedTuple):
    """An import of a module of the package: at the top, inside a function, for types alone, or by a name in a text."""

    target: str
    where: str


MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


@cache
def list_imports(module: str) -> tuple[Import, ...]:
    """The modules of the package that a module imports, wherever it does."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return tuple(dict.fromkeys(_visit(tree, "top", docstrings)))


def _visit(node: ast.AST, where: str, docstrings: set[int]) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inner = where
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = "function"
        elif isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            inner = "types"
        if isinstance(child, ast.ImportFrom):
            assert not child.level, "a relative import"
            for alias in child.names:
                found = find_module(f"{child.module}.{alias.name}")
                if found is not None:
                    yield Import(found, where)
        elif isinstance(child, ast.Import):
            yield from (Import(found, where) for alias in child.names if (found := find_module(alias.name)))
        elif isinstance(child, ast.Constant) and id(child) not in docstrings and _names_module(str(child.value)):
            yield Import(find_module(str(child.value).partition(":")[0]) or "", "text")
        yield from _visit(child, inner, docstrings)


def _names_module(text: str) -> bool:
    """Whether a text is a name by which a module of the package, or something in it, is imported."""
    if re.fullmatch(r"mapsos(\.\w+)+(:\w+)?", text) is None:
        return False
    # A name like "mapsos.requests" is that of a log.
    return find_module(text.partition(":")[0]) != "mapsos"


def find_module(name: str) -> str | None:
    """The module of the package with that dotted name, or with that of something in it; None for other packages."""
    parts = name.split(".")
    while parts and parts[0] == "mapsos":
        if ".".join(parts) in MODULES:
            return ".".join(parts)
        parts.pop()
    return None


def room_of(module: str) -> str:
    """The room of a module as `FLOORS` has it; empty for the package itself."""
    path = module.removeprefix("mapsos").lstrip(".").replace(".", "/")
    return next((room for room in sorted(FLOORS, reverse=True) if path == room or path.startswith(f"{room}/")), "")


def find_circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach each other (Tarjan's strongly connected components of more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in edges.get(module, ()):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            circle = stack[at:]
            del stack[at:]
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in edges:
        if module not in index:
            visit(module)
    return found


def list_edges(where: tuple[str, ...] = ("top", "function", "types", "text")) -> dict[str, set[str]]:
    return {
        module: {found.target for found in list_imports(module) if found.where in where and found.target != module}
        for module in MODULES
    }


def test_rooms_are_those_of_the_document() -> None:
    (table,) = [table for table in read_tables(TEXT) if "floor" in table[0]]
    rooms = {name: row for row in table for name in code(row["room"]) if not name.endswith("/")}
    assert {name: int(row["floor"]) for name, row in rooms.items()} == FLOORS
    for name, row in rooms.items():
        inner = {path.parent.name for path in (PACKAGE / name).glob("*/__init__.py")}
        assert {text.rstrip("/") for text in code(row["room"]) if text.endswith("/")} == inner, name


def test_every_path_in_the_document_is_there() -> None:
    named = {path for path in code(TEXT) if re.fullmatch(r"(mapsos|tests|docs|script|examples)/[\w./-]+", path)}
    assert len(named) > 20
    # Capitals stand for a name to choose.
    lost = [path for path in sorted(named) if not re.search("[A-Z]{4}", path) and not (ROOT / path).exists()]
    assert lost == []


def test_every_module_is_in_a_room() -> None:
    outside = [module for module in MODULES if not room_of(module) and module not in ("mapsos", "mapsos.sos")]
    assert outside == []


def test_folders_and_modules_are_small() -> None:
    faults = []
    for folder in {path.parent for path in MODULES.values()}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > MOST_MODULES:
            faults.append(f"{folder.relative_to(PACKAGE)} has {len(modules)} modules")
    for module, path in MODULES.items():
        lines = len(path.read_text("utf-8").splitlines())
        if lines > MOST_LINES:
            faults.append(f"{module} has {lines} lines")
    assert faults == []


def test_imports_go_downwards() -> None:
    faults = []
    for module in MODULES:
        for target, where in list_imports(module):
            own, other = room_of(module), room_of(target)
            if not own or not other or own == other:
                continue
            if FLOORS[other] > FLOORS[own] or (FLOORS[other] == FLOORS[own] and (own, other) not in BESIDE):
                faults.append(f"{module} (floor {FLOORS[own]}) imports {target} (floor {FLOORS[other]}): {where}")
    assert faults == []


def test_there_is_no_circle() -> None:
    assert find_circles(list_edges()) == []


def test_a_circle_would_be_found() -> None:
    assert find_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    assert "mapsos.sos.v1.interface" in {found.target for found in list_imports("mapsos.app")}


def test_thresholds_are_listed() -> None:
    found = {
        f"{module} -> {target}"
        for module in MODULES
        for target, where in list_imports(module)
        if where == "function" or (where == "text" and module != REGISTRY)
    }
    assert sorted(found) == sorted(THRESHOLDS)


def test_rows_of_the_registry_name_their_encoders() -> None:
    """Modules that exist, and nothing else, so that floors and circles of these imports are checked with all others."""
    named = [row.module for row in FORMATS]
    assert {module for module in named if not hasattr(import_module(module), "ENCODER")} == set()
    assert set(named) == {target for target, where in list_imports(REGISTRY) if where == "text"}
    assert {target for target, where in list_imports(REGISTRY) if where == "function"} == set()
    assert set(named) <= list_edges()[REGISTRY]


def test_there_are_few_thresholds() -> None:
    assert len(THRESHOLDS) <= MOST_THRESHOLDS, "import together what is needed together, or at the top what is light"


def test_dependencies_are_those_of_the_package() -> None:
    (table,) = [table for table in read_tables(TEXT) if "package" in table[0]]
    # "PyPI, as `NAME`" where the package is named otherwise there.
    listed = {(code(row["from"]) or code(row["package"]))[0] for row in table if row["from"].startswith("PyPI")}
    required = re.search(r"install_requires=\[(.*?)\]", (ROOT / "setup.py").read_text("utf-8"), re.S)
    assert required
    assert listed == {re.split("[<>=]", name)[0] for name in re.findall(r'"([^"]+)"', required[1])}


def test_a_package_whose_private_parts_are_used_is_pinned() -> None:
    """To the version that these tests run with."""
    zero, minor = map(int, version("uvicorn").split(".")[:2])
    assert f'"uvicorn>={zero}.{minor},<{zero}.{minor + 1}"' in (ROOT / "setup.py").read_text("utf-8")


def test_what_is_imported_is_listed() -> None:
    (table,) = [table for table in read_tables(TEXT) if "package" in table[0]]
    listed = {name for row in table for name in code(row["package"])}
    own = {"mapsos", *sys.stdlib_module_names}
    # What comes with a package that is listed.
    inner = {"lark", "_typeshed"}
    faults = []
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text("utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if strange := {name.split(".")[0] for name in names} - own - inner - listed:
            faults.append(f"{module}: {strange}")
    assert faults == []
