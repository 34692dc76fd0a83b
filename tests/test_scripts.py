"""The scripts: what they refuse, and that a second set-up only looks."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = ["script/setup", "script/server", "script/test", ".ci/run"]


def run(*command: str | Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_clean_and_strict(script: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed here")
    done = run("shellcheck", script)
    assert done.stdout == ""
    assert os.access(ROOT / script, os.X_OK)
    assert "\nset -euo pipefail\n" in (ROOT / script).read_text()


@pytest.mark.parametrize("script", ["script/setup", "script/server"])
def test_an_unknown_argument_is_refused_by_name(script: str) -> None:
    done = run(ROOT / script, "--frob")
    assert done.returncode == 2
    assert "--frob" in done.stderr


@pytest.mark.parametrize("script", ["script/setup", "script/server"])
def test_scripts_explain_themselves(script: str) -> None:
    done = run(ROOT / script, "--help")
    assert done.returncode == 0
    assert script in done.stdout


def test_a_second_set_up_only_looks(tmp_path: Path) -> None:
    if not (ROOT / ".venv" / "mapsos-setup.stamp").exists():
        pytest.skip("this environment was not made by script/setup")
    done = run(ROOT / "script" / "setup", cwd=tmp_path)
    # Whatever it installs it says first.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_rights_it_says_what_is_missing(tmp_path: Path) -> None:
    """A copy of the project where nothing is installed and nothing may be."""
    for name in ("setup.py", "pyproject.toml", "script"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "env", "dirname", "cat", "sha256sum", "readlink"):
        (commands / name).symlink_to(str(shutil.which(name)))
    (commands / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (commands / "dpkg-query").chmod(0o755)
    done = run(commands / "bash", tmp_path / "script" / "setup", cwd=tmp_path, PATH=str(commands))
    assert done.returncode == 1
    packages = "gcc libc6-dev python3-dev python3-gdal python3-fiona python3-venv tzdata"
    assert f"    apt-get install -y --no-install-recommends {packages}\n" in done.stderr
    assert not (tmp_path / ".venv").exists()


PROGRAMS = {
    "apache2": "apache2-bin",
    "apt-get": "apt",
    "bash": "bash",
    "chromium": "chromium",
    "debootstrap": "debootstrap",
    "git": "git",
    "groff": "groff-base",
    "initdb": "postgresql-postgis",
    "mapserv": "cgi-mapserver",
    "mount": "mount",
    "nginx": "nginx",
    "nsenter": "util-linux",
    "ogr2ogr": "gdal-bin",
    "ogrinfo": "gdal-bin",
    "pg_ctl": "postgresql-postgis",
    "setpriv": "util-linux",
    "shellcheck": "shellcheck",
    "systemd-nspawn": "systemd-container",
    "umount": "mount",
    "unshare": "util-linux",
}
"""What tests call, and the package of Debian that has it."""
EVERYWHERE = {"apt", "bash", "git", "mount", "util-linux"}
"""What a Debian with a clone on it has anyway."""
CALLERS = {"Popen", "Program", "_find_program", "_run", "run", "which"}


def list_programs(text: str) -> Iterator[str]:
    """List the programs that a module calls by a name that is written there, first in a command or alone."""
    for node in ast.walk(ast.parse(text)):
        command: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            command = node.args[0] if called in CALLERS else None
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("command", "COMMAND"):
            command = node.value
        if isinstance(command, ast.List | ast.Tuple) and command.elts:
            command = command.elts[0]
        if isinstance(command, ast.Constant) and re.fullmatch(r"[a-z][a-z0-9_-]*", str(command.value)):
            yield str(command.value)


def test_a_call_of_a_program_is_found() -> None:
    called = 'run(["one", "x"])\ncommand = ("two", path)\nshutil.which("three")\nrun([path, "x"])\nrun(["--option"])'
    assert set(list_programs(called)) == {"one", "two", "three"}


def test_the_set_up_installs_what_tests_call() -> None:
    called = {name for path in (ROOT / "tests").rglob("*.py") for name in list_programs(path.read_text("utf-8"))}
    known = {*PROGRAMS, "add", "check", "chromium-browser", "get", "init", "list", "serve"}
    assert called - known == set()
    text = (ROOT / "script" / "setup").read_text("utf-8")
    packages = {name for found in re.findall(r"_packages=\(([^)]*)\)", text) for name in found.split()}
    assert set(PROGRAMS.values()) - packages - EVERYWHERE == set()
