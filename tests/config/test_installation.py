"""Without GDAL's Python module: one sentence with the remedy, whatever is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.config.installation import REMEDY, require_gdal
from tests.docs.markdown import ROOT

MAP = str(ROOT / "examples/mapfiles/weather.map")
QUERY = "service=SOS&request=GetCapabilities"


@pytest.fixture(scope="module")
def without_gdal(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """An interpreter in which osgeo cannot be found: all else is that of this environment."""
    # As in an environment of its own, without the distribution's packages.
    folder = tmp_path_factory.mktemp("site")
    for path in map(Path, sys.path):
        for entry in path.iterdir() if path.is_dir() and path.name in ("site-packages", "dist-packages") else ():
            link = folder / entry.name
            if "osgeo" not in entry.name.lower() and "gdal" not in entry.name.lower() and not link.exists():
                link.symlink_to(entry)
    program = (
        f"import sys; sys.path = [p for p in sys.path if not p.endswith('-packages')] + {[str(folder), str(ROOT)]!r}; "
        "sys.argv[0] = 'mapsos'; from mapsos.__main__ import main; sys.exit(main())"
    )
    return [sys.executable, "-c", program]


def run(command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **environ}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environ, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("words", [["serve", MAP], ["check", MAP], ["get", MAP, QUERY], ["get", "none.map", QUERY]])
def test_commands(without_gdal: list[str], words: list[str]) -> None:
    done = run([*without_gdal, *words])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mapsos {words[0]}: {REMEDY}\n"


@pytest.mark.parametrize(("word", "printed"), [("--version", "mapsos "), ("-v", "mapsos ver"), ("--help", "Usage")])
def test_what_reads_no_data_works(without_gdal: list[str], word: str, printed: str) -> None:
    done = run([*without_gdal, word])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(printed)


def test_cgi(without_gdal: list[str]) -> None:
    done = run(without_gdal, QUERY_STRING=f"map={MAP}&{QUERY}", REQUEST_METHOD="GET", MAPSOS_CGI_WORKER="off")
    assert done.stdout.startswith("Status: 500 ")
    assert "The configuration of this server is not usable." in done.stdout
    assert "osgeo" not in done.stdout
    assert done.stderr.count(REMEDY) == 1
    assert "Traceback" not in done.stderr


def test_wsgi(without_gdal: list[str]) -> None:
    program = without_gdal[2].partition("sys.argv[0]")[0] + (
        "from mapsos.wsgi import application; from werkzeug.test import Client; "
        f"answer = Client(application).get('/?{QUERY}'); print(answer.status_code, answer.text)"
    )
    done = run([sys.executable, "-c", program])
    assert done.stdout.startswith("500 ")
    assert "The configuration of this server is not usable." in done.stdout
    assert done.stderr.count(REMEDY) == 1
    assert "Traceback" not in done.stderr


def test_with_gdal_nothing_is_raised() -> None:
    require_gdal()
