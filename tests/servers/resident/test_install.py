"""`mapsos cgi install`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.command.cli import main
from mapsos.servers.resident.install import InstallError, install_program, write_program
from mapsos.servers.resident.worker_name import PACKAGE

from .conftest import CAPABILITIES, Site

REQUEST = {"REQUEST_METHOD": "GET", "QUERY_STRING": CAPABILITIES, "MAPSOS_CGI_WORKER": "off"}


def run(program: str | Path, *arguments: str, **environ: str) -> bytes:
    return subprocess.run([program, *arguments], env=environ, stdout=subprocess.PIPE, timeout=60, check=True).stdout


def test_it_has_its_configuration(site: Site) -> None:
    program = install_program(str(site.folder), str(site.folder / "mapsos.conf"))
    assert program == str(site.folder / "mapsos")
    assert b"<ows:Title>Few</ows:Title>" in run(program, **REQUEST)
    assert b"<ows:Title>Many</ows:Title>" in run(program, **REQUEST | {"QUERY_STRING": CAPABILITIES + "&map=big"})


def test_it_has_its_map(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(site.folder)
    assert main(["cgi", "install", ".", "--map", "big.map"]) == 0
    assert capsys.readouterr().out == "mapsos\n"
    assert b"<ows:Title>Many</ows:Title>" in run(site.folder / "mapsos", **REQUEST)


def test_by_hand_it_is_the_command(site: Site) -> None:
    assert run(site.program, "-v").startswith(b"mapsos version ")
    assert b"<ows:Title>Few</ows:Title>" in run(site.program, "-nh", f"QUERY_STRING={CAPABILITIES}", **site.environ)
    assert not site.processes()


def test_neither_environment_nor_folder_say_where_modules_come_from(site: Site) -> None:
    for folder in (site.folder, site.folder / "path"):
        folder.mkdir(exist_ok=True)
        (folder / "os.py").write_text("raise SystemExit('wrong module')")
        (folder / "mapsos").is_file() or (folder / "mapsos.py").write_text("raise SystemExit('wrong module')")
    environ = site.environ | REQUEST | {"PYTHONPATH": str(site.folder / "path")}
    done = subprocess.run([site.program], env=environ, cwd=site.folder, capture_output=True, timeout=60, check=True)
    assert b"<ows:Title>Few</ows:Title>" in done.stdout


@pytest.mark.parametrize("name", ["with space", "with'quote and space", "long" * 40])
def test_interpreters_that_no_first_line_can_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    program = tmp_path / "program"
    program.write_text(write_program(str(folder / "python"), os.path.dirname(PACKAGE), {"A": "b'\"\\\n"}))
    program.chmod(0o755)
    assert run(program, "-h").startswith(b"Usage: mapsos")


def test_it_is_replaced_by_itself_only(tmp_path: Path) -> None:
    program = Path(install_program(str(tmp_path)))
    program.chmod(0o700)
    install_program(str(tmp_path))
    assert program.stat().st_mode & 0o777 == 0o755
    program.write_text("#!/bin/sh\n")
    with pytest.raises(InstallError, match="exists and was not written by"):
        install_program(str(tmp_path))
    assert program.read_text() == "#!/bin/sh\n"
    assert os.listdir(tmp_path) == ["mapsos"]


def test_what_is_wrong_is_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    folder, conf = str(site.folder), str(site.folder / "mapsos.conf")
    (site.folder / "faulty.conf").write_text("CONFIG")
    for arguments, complaint in (
        ([folder, "--conf", "/nowhere.conf"], "file not found: /nowhere.conf"),
        ([folder, "--map", "/nowhere.map"], "file not found: /nowhere.map"),
        ([folder, "--conf", folder + "/faulty.conf"], "END is missing"),
        ([folder, "--conf", conf, "--map", folder + "/big.map"], "sets MS_MAPFILE"),
        ([folder + "/nowhere"], "cannot be written: No such file"),
    ):
        assert main(["cgi", "install", *arguments]) == 2
        assert complaint in capsys.readouterr().err
    assert main(["cgi", "remove"]) == 2
