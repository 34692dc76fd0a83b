"""The suite itself: no test leans on another test module, on the benchmarks, on a clock or on waiting."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Find = Callable[[str, ast.Module], Iterator[str]]
TESTS = Path(__file__).parent
FOLDERS = {"/", *(f"tests.{path.name}/" for path in TESTS.iterdir() if path.is_dir()), "tests/"}
"""Packages of tests as imports name them; "/" is the folder of the module itself."""
POLL_SECONDS = 0.1
"""The longest that a test may wait before it looks again."""


def find_imports(name: str, tree: ast.Module) -> Iterator[str]:
    """Find imports of test modules, and of the benchmarks outside their own tests; wherever they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # ``from . import test_one`` names the module last.
            module = node.module or ""
            names = [alias.name for alias in node.names] if f"{module}/" in FOLDERS else []
            modules = [f"{module}.{last}" for last in names] or [module]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[-1].startswith("test_") or (parts[0] == "benchmarks" and not name.startswith("benchmarks/")):
                yield f"{name}:{node.lineno}: {module}"


def find_waits(name: str, tree: ast.Module) -> Iterator[str]:
    """Find sleeps that are longer than a poll, or as long as something that is computed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "sleep":
            seconds = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if not isinstance(seconds, int | float) or seconds > POLL_SECONDS:
                yield f"{name}:{node.lineno}: {ast.unparse(node)}"


def find_timings(name: str, tree: ast.Module) -> Iterator[str]:
    """Find wall times that are measured: a clock may only be held against an end that was fixed before."""
    if name.startswith("support/"):
        # Programs are timed there for the benchmarks.
        return
    for node in ast.walk(tree):
        is_stopwatch = isinstance(node, ast.Call) and _called(node) in (
            "perf_counter",
            "perf_counter_ns",
            "monotonic_ns",
        )
        is_start = isinstance(node, ast.Assign) and _called(node.value) == "monotonic"
        is_length = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _called(node.left) == "monotonic"
        if is_stopwatch or is_start or is_length:
            yield f"{name}: {ast.unparse(node)}"


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_no_module_has_any() -> None:
    found: list[str] = []
    for path in sorted(TESTS.rglob("*.py")):
        name, tree = path.relative_to(TESTS).as_posix(), ast.parse(path.read_text("utf-8"))
        found += [*find_imports(name, tree), *find_waits(name, tree), *find_timings(name, tree)]
    assert found == []


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (find_imports, "from tests.servers.test_serve import serving"),
        (find_imports, "from tests.sources import test_layers"),
        (find_imports, "from .test_layers import LAYER"),
        (find_imports, "from . import test_layers"),
        (find_imports, "from ..test_cgi import COMMAND"),
        (find_imports, "def later():\n    from benchmarks.maps import write_map"),
        (find_imports, "import benchmarks.maps"),
        (find_waits, "time.sleep(1)"),
        (find_waits, "sleep(left)"),
        (find_timings, "started = time.monotonic()"),
        (find_timings, "seconds = time.perf_counter() - started"),
        (find_timings, "assert time.monotonic() - started < 2"),
    ],
)
def test_it_would_be_found(find: Find, text: str) -> None:
    assert list(find("rest/test_paths.py", ast.parse(text)))


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (find_imports, "from tests.support.servers import serving"),
        (find_imports, "from .conftest import World"),
        (find_waits, "time.sleep(0.01)"),
        (find_timings, "end = time.monotonic() + 60\nwhile time.monotonic() < end:\n    look()"),
    ],
)
def test_what_is_allowed_is_not_found(find: Find, text: str) -> None:
    assert list(find("rest/test_paths.py", ast.parse(text))) == []
