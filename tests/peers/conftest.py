"""The folder of data, maps and configuration files, and the two servers on it."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from . import answers, catalogue
from .answers import CGI, Answer, Call, run_program
from .cases import Case
from .mapfiles import COMMON_MAPS
from .resident import ResidentMapserv
from .stations_data import write_all

SKIP_VARIABLE = "MAPSOS_TESTS_WITHOUT_MAPSERV"

CONFIGS: dict[str, str] = {
    "plain": 'CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n    MS_NO_VERSION "1"\n  END\nEND\n',
    "version": 'CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n  END\nEND\n',
    "aliases": (
        'CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n    MS_NO_VERSION "1"\n  END\n'
        '  MAPS\n    five "{root}/maps/shp.map"\n    Missing "{root}/maps/missing.map"\n'
        '    WrongName "{root}/maps/shp.txt"\n  END\nEND\n'
    ),
    "only_aliases": (
        'CONFIG\n  ENV\n    MS_MAP_NO_PATH "1"\n    MS_NO_VERSION "1"\n  END\n'
        '  MAPS\n    FIVE "{root}/maps/shp.map"\n  END\nEND\n'
    ),
    "no_pattern": 'CONFIG\n  ENV\n    MS_NO_VERSION "1"\n  END\nEND\n',
    "pattern": 'CONFIG\n  ENV\n    MS_MAP_PATTERN "^{root}/maps/s"\n    MS_NO_VERSION "1"\n  END\nEND\n',
    "bad_pattern": (
        'CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n    MS_MAP_BAD_PATTERN "gpkg"\n    MS_NO_VERSION "1"\n  END\nEND\n'
    ),
    "default_map": ('CONFIG\n  ENV\n    MS_MAPFILE "{root}/maps/shp.map"\n    MS_NO_VERSION "1"\n  END\nEND\n'),
    "no_post": ('CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n    MS_NO_POST "1"\n    MS_NO_VERSION "1"\n  END\nEND\n'),
    "comments": (
        'config # a comment\n  env\n    "ms_map_pattern" "."  # another\n    MS_NO_VERSION "1"\n  end\n'
        "  PLUGINS\n  END\nend\n"
    ),
}
"""Configuration files by name, for both servers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let ``-k B_01`` select the cases that name the difference B-01, for readers of docs/compatibility.md."""
    for item in items:
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        if isinstance(case, Case):
            item.extra_keyword_matches.update(name.replace("-", "_") for name in case.differs)


@dataclass
class Ground:
    """Where the suite lives on disk, and the servers that answer from there."""

    root: Path
    resident: ResidentMapserv
    applications: dict[tuple[tuple[str, str], ...], Any] = field(default_factory=dict)

    def call(self, case: Case) -> Call:
        """The CGI call of a case."""
        environ: dict[str, str | None] = {**CGI, "MAPSERVER_CONFIG_FILE": str(self.root / f"{case.config}.conf")}
        environ["REQUEST_METHOD"] = case.method
        if case.query is not None:
            query = case.query.replace("{root}", str(self.root))
            here = f"map={self.root}/maps/{case.map}.map"
            environ["QUERY_STRING"] = query if case.map is None else f"{here}&{query}" if query else here
        if case.body or case.method == "POST":
            environ["CONTENT_LENGTH"] = str(len(case.body))
        if case.content_type is not None:
            environ["CONTENT_TYPE"] = case.content_type
        environ.update(case.environ)
        said = {name: value.replace("{root}", str(self.root)) for name, value in environ.items() if value is not None}
        arguments = tuple(argument.replace("{root}", str(self.root)) for argument in case.arguments)
        return Call(said, case.body, arguments, self.root)

    def ask_mapsos(self, call: Call) -> Answer:
        """What mapsos answers, in this process."""
        from mapsos.app import Application
        from mapsos.config.settings import read_settings
        from mapsos.web.messages import Request

        options = {name: value for name, value in call.environ.items() if name.startswith(("MS_", "MAPS"))}
        key = tuple(sorted(options.items()))
        if key not in self.applications:
            self.applications[key] = Application(read_settings(options))
        body = io.BytesIO(call.body)
        length = call.environ.get("CONTENT_LENGTH")
        request = Request(
            method=call.environ.get("REQUEST_METHOD", ""),
            query=call.environ.get("QUERY_STRING"),
            content_type=call.environ.get("CONTENT_TYPE", ""),
            content_length=int(length) if length else None,
            read=body.read,
            environ=call.environ,
        )
        folder = os.getcwd()
        os.chdir(call.folder)
        try:
            response = self.applications[key].answer(request)
            try:
                content = b"".join(response.body)
            finally:
                close = getattr(response.body, "close", None)
                if close:
                    close()
        finally:
            os.chdir(folder)
        headers = {name.lower(): value for name, value in response.headers}
        return Answer(headers, content, status=response.status)

    def ask_mapserv(self, call: Call, *, by_cgi: bool = False) -> Answer:
        """What mapserv answers; the test fails where it is missing, unless told to skip.

        A resident process answers what does not depend on how the process is started, unless ``by_cgi``.
        """
        if not Path(answers.MAPSERV).exists():
            message = (
                f"mapserv 8.0 is not installed (the package cgi-mapserver has it); set {SKIP_VARIABLE}=1 to go without"
            )
            if os.environ.get(SKIP_VARIABLE):
                pytest.skip(message)
            pytest.fail(message, pytrace=False)
        if not by_cgi and is_for_resident(call, self.root):
            answer = self.resident.ask(call)
            if answer is not None:
                return answer
        return run_program(answers.MAPSERV, call)


def is_for_resident(call: Call, root: Path) -> bool:
    """Whether a process that was started with the plain configuration can answer a call."""
    environ = call.environ
    return (
        environ.get("MAPSERVER_CONFIG_FILE") == str(root / "plain.conf")
        and {"REQUEST_METHOD", "QUERY_STRING"} <= set(environ)
        and not any(name.startswith("MS_") for name in environ)
        and not call.arguments
    )


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The suite's folder, filled."""
    root = tmp_path_factory.mktemp("peers")
    for name in ("data", "maps"):
        (root / name).mkdir()
    write_all(root / "data")
    for name, text in {**COMMON_MAPS, **catalogue.MAPS}.items():
        encoding = "latin-1" if name.startswith("latin1") else "utf-8"
        (root / "maps" / f"{name}.map").write_text(text.replace("{root}", str(root)), encoding=encoding)
    (root / "maps" / "shp.txt").write_text(COMMON_MAPS["shp"])
    (root / "maps" / "addresses.txt").write_text("10.1.0.0/16 192.0.2.7\n")
    for name, text in CONFIGS.items():
        (root / f"{name}.conf").write_text(text.replace("{root}", str(root)))
    plain = {"MAPSERVER_CONFIG_FILE": str(root / "plain.conf")}
    # A Unix socket's path is limited to about a hundred bytes.
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        resident = ResidentMapserv(Path(folder) / "mapserv", plain, root)
        yield Ground(root, resident)
        resident.close()
