"""The sdist and the wheel: what is in them, and that the one is made from the other."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def list_files() -> set[str]:
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a checkout of git")
    return {name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist of a copy of this checkout, and the wheel that was made from the sdist."""
    copy, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("built")
    for name in list_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
        (copy / name).chmod((ROOT / name).stat().st_mode)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, copy]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def sdist(built: Path) -> Path:
    (path,) = built.glob("mapsos-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("mapsos-*.whl")
    return path


def test_the_sdist_has_all_that_git_has(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
    names = {member.name.partition("/")[2] for member in members}
    assert list_files() - names == set()
    # What setuptools adds, and nothing that a run left behind.
    added = {name for name in names - list_files() if not name.startswith("mapsos.egg-info/")}
    assert added == {"PKG-INFO", "setup.cfg"}
    scripts = {member.name.partition("/")[2] for member in members if member.mode & 0o100}
    assert {"script/setup", "script/test", ".ci/run"} <= scripts


def test_the_wheel_fits_every_python(wheel: Path) -> None:
    assert "-cp311-abi3-linux_" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "mapsos/columns/_loops.abi3.so" in names
    package = {name for name in list_files() if name.startswith("mapsos/") and not name.endswith(".c")}
    assert package - names == set()
    catalogues = {name.removesuffix(".po") for name in package if name.endswith(".po")}
    assert {f"{name}{suffix}" for name in catalogues for suffix in (".mo", ".json")} <= names
    assert not any(name.startswith(("tests/", "benchmarks/", "data/")) for name in names)


def test_what_the_wheel_installs_answers(wheel: Path, tmp_path: Path) -> None:
    """The program of the wheel, with the dependencies of this environment."""
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(pip, check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(target)!r}); import mapsos, mapsos.columns._loops as loops; "
        f"assert mapsos.__file__.startswith({str(target)!r}) and loops.__file__.startswith({str(target)!r}); "
        "from mapsos.__main__ import main; sys.exit(main())"
    )
    query = "service=SOS&request=GetCapabilities"
    command = [sys.executable, "-P", "-c", program, "get", str(ROOT / "examples/mapfiles/weather.map"), query]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("</sos:Capabilities>")
