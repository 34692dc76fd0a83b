"""The code counts as the same until a module of the package, or of the rooms in question, is another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mapsos
from mapsos.files import code_version as module
from mapsos.files.code_version import code_version, list_modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("app.py", "mapfile/reader.py", "terms/times.py", "rest/filters/where.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
        os.utime(path, ns=(10**18, 10**18))
    monkeypatch.setattr(module, "PACKAGE", str(tmp_path))
    code_version.cache_clear()
    yield tmp_path
    code_version.cache_clear()


def ask(*rooms: str) -> str:
    """Return the version that another process finds."""
    code_version.cache_clear()
    return code_version(*rooms)


def edit(path: Path) -> None:
    path.write_text("x = 12\n")
    os.utime(path, ns=(10**18, 10**18))


@pytest.mark.parametrize(
    ("change", "rooms", "all"),
    [
        (lambda folder: edit(folder / "mapfile" / "reader.py"), True, True),
        (lambda folder: os.utime(folder / "terms" / "times.py", ns=(10**18, 10**18 + 1)), True, True),
        (lambda folder: (folder / "terms" / "new.py").touch(), True, True),
        (lambda folder: (folder / "mapfile" / "reader.py").unlink(), True, True),
        (lambda folder: (folder / "mapfile" / "reader.py").rename(folder / "mapfile" / "other.py"), True, True),
        (lambda folder: (folder / "mapfile" / "reader.py").rename(folder / "terms" / "reader.py"), True, True),
        (lambda folder: edit(folder / "rest" / "filters" / "where.py"), False, True),
        (lambda folder: edit(folder / "app.py"), False, True),
        (lambda folder: (folder / "mapfile" / "reader.pyc").touch(), False, False),
        (lambda folder: None, False, False),
    ],
)
def test_other_code_has_another_version(
    package: Path, change: Callable[[Path], object], rooms: bool, all: bool
) -> None:
    before = ask("mapfile", "terms"), ask()
    assert before[0] != before[1]
    change(package)
    assert (ask("mapfile", "terms") != before[0], ask() != before[1]) == (rooms, all)


def test_another_release_has_another_version(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask()
    monkeypatch.setattr(mapsos, "__version__", "99.0")
    assert ask() != before


def test_a_process_determines_it_once(package: Path) -> None:
    before = code_version()
    edit(package / "app.py")
    assert code_version() == before


def test_a_missing_folder_has_no_modules(tmp_path: Path) -> None:
    assert list(list_modules(str(tmp_path / "gone"))) == []


def test_the_package_is_the_one_that_runs() -> None:
    assert {found.path for found in list_modules(module.PACKAGE)} >= {module.__file__, mapsos.__file__}
