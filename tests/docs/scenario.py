"""Running the examples of a document one after the other, as a reader would.

The language of a fenced block says what it is:

- with a file's name after it (``mapfile gauge.map``): a file of the reader's own;
- ``sh``: commands, run in a folder that has examples/ and data/; ``exit=2`` after it is their exit code;
- ``mapfile``: a map, or a part of one, that mapsos reads and finds no error in;
- ``conf``: a configuration file;
- ``url``: requests, one a line, continued on lines that begin with a blank; as they stand, nothing percent-encoded;
- ``body``: the body of a POST to /weather, of the content type after ``type=``;
- ``text``, ``xml`` and ``http``: what comes of the block before, line by line, ``...`` for what is left out.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from mapsos.app import Application
from mapsos.check.finding import Finding
from mapsos.check.report import check_mapfile
from mapsos.config.settings import read_settings
from mapsos.servers.routes import name_mapfiles, serve_only
from mapsos.web.messages import Request, Response

from .markdown import ROOT, Example

OUTPUTS = ("text", "xml", "http")
_BASE = "http://127.0.0.1:8080"


class Scenario:
    """A reader with a folder, who does what a document says; a context manager that ends the servers it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output: str | None = None
        self._failed = False
        self._server: subprocess.Popen[str] | None = None
        self._base = ""
        self._applications: dict[str, Application] = {}
        for name in ("examples", "data"):
            shutil.copytree(ROOT / name, folder / name)

    def __enter__(self) -> Scenario:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_server()

    def follow(self, example: Example) -> None:
        """Do what one block says; AssertionError if it does not come out as the document says."""
        if example.language in OUTPUTS and example.file is None:
            self._failed = False
            self._compare(example)
            return
        self.finish()
        if example.file is not None:
            (self.folder / example.file).write_text(example.text, encoding="utf-8")
        elif example.language == "sh":
            self._run(example)
        elif example.language == "url":
            for url in read_urls(example.text):
                self.output, self._failed = self.get(url)
        elif example.language == "body":
            self.output, self._failed = self.post(example.text, example.option("type") or "text/xml")
        elif example.language == "mapfile":
            errors = [finding for finding in self._check(example.text) if finding.level == "error"]
            assert not errors, errors
        elif example.language == "conf":
            path = self.folder / "example.conf"
            path.write_text(example.text, encoding="utf-8")
            read_settings({}, str(path))
        else:
            raise AssertionError(f"nobody knows how to run {example.language}")

    def finish(self) -> None:
        """The block before is over: an error that no excerpt has shown is one."""
        assert not self._failed, self.output

    def get(self, url: str) -> tuple[str, bool]:
        """The answer to a GET, headers and body, and whether it reports an error."""
        if self._server is not None:
            assert url.startswith(_BASE), url
            with urllib.request.urlopen(self._base + quote(url.removeprefix(_BASE), "/?&=%:;,"), timeout=60) as answer:
                text = answer.read().decode()
            return text, "ExceptionReport" in text
        name, _, query = url.removeprefix(_BASE).lstrip("/").partition("?")
        return self._ask(name, Request("GET", query, environ=_environ(name)))

    def post(self, body: str, content_type: str) -> tuple[str, bool]:
        """The answer to a POST to the example map."""
        data = io.BytesIO(body.encode())
        request = Request("POST", "", content_type, len(data.getvalue()), data.read, _environ("weather"))
        return self._ask("weather", request)

    def _ask(self, name: str, request: Request) -> tuple[str, bool]:
        if name not in self._applications:
            own = self.folder / f"{name}.map"
            path = own if own.exists() else self.folder / "examples" / "mapfiles" / f"{name}.map"
            maps = name_mapfiles([str(path)])
            self._applications[name] = Application(serve_only(read_settings({}), maps, name))
        response = self._applications[name].answer(request)
        return _show(response), response.error

    def _check(self, text: str) -> list[Finding]:
        path = self.folder / "examples" / "mapfiles" / "fragment.map"
        path.write_text(complete(text), encoding="utf-8")
        return check_mapfile(str(path))

    def _run(self, example: Example) -> None:
        command = example.text.strip()
        if command.startswith("mapsos serve"):
            self._start_server(command)
            return
        self._end_server()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == int(example.option("exit") or 0), done.stdout + done.stderr
        self.output = done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "LANG", "TMP"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {**kept, "PATH": path, "HOME": str(self.folder)}

    def _start_server(self, command: str) -> None:
        self._end_server()
        self._server = subprocess.Popen(
            [*command.split(), "--port", "0", "--workers", "1"],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        first = self._server.stdout.readline()
        match = re.search(r"http://\S+", first)
        assert match, first
        self._base = match[0]
        self.output = first.replace(self._base, _BASE)

    def _end_server(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(60)
            assert self._server.stdout is not None
            self._server.stdout.close()
            self._server = None

    def _compare(self, example: Example) -> None:
        assert self.output is not None, "there is nothing before it that could have this outcome"
        position = 0
        for line in filter(None, map(str.strip, example.text.splitlines())):
            if line != "...":
                found = self.output.find(line, position)
                assert found >= 0, f"{line}\nis not in what follows of\n{self.output[:6000]}"
                position = found + len(line)


def read_urls(text: str) -> list[str]:
    """The requests of a block."""
    return [re.sub(r"\n\s+", "", url) for url in re.split(r"\n(?=\S)", text.strip())]


def complete(text: str) -> str:
    """A whole map of a part of one: WEB, LAYER, METADATA of a layer, or keywords of a layer."""
    first = text.split(maxsplit=1)[0].upper()
    if first == "MAP":
        return text
    web, layer = _WEB, text
    if first == "WEB":
        web, layer = text, ""
    elif first != "LAYER":
        metadata = "" if first == "METADATA" else _METADATA
        data = "" if re.search(r"\b(DATA|CONNECTIONTYPE|FEATURE)\b", text) else _DATA
        layer = f'LAYER NAME "l" TYPE POINT\n{data}\n{text}\n{metadata}\nEND\n'
    if not layer:
        layer = f'LAYER NAME "l" TYPE POINT\n{_DATA}\n{_METADATA}\nEND\n'
    return f'MAP NAME "m" EXTENT -180 -90 180 90 SHAPEPATH "../../data"\n{web}\n{layer}\nEND\n'


_WEB = 'WEB METADATA "sos_onlineresource" "http://h/" "sos_srs" "EPSG:4326" "sos_enable_request" "*" END END'
_DATA = 'CONNECTIONTYPE OGR CONNECTION "temperatures.gpkg" DATA "temperatures" PROJECTION "epsg:4326" END'
_METADATA = (
    'METADATA "sos_offering_id" "o" "sos_observedproperty_id" "p" "sos_procedure" "SEA"'
    ' "sos_describesensor_url" "http://h/" END'
)


def _environ(name: str) -> dict[str, str]:
    return {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8080", "SCRIPT_NAME": f"/{name}", "REMOTE_ADDR": "127.0.0.1"}


def _show(response: Response) -> str:
    headers = "".join(f"{name}: {value}\n" for name, value in response.headers)
    try:
        body = b"".join(response.body).decode()
    finally:
        close = getattr(response.body, "close", None)
        if close is not None:
            close()
    return f"{response.status_line}\n{headers}\n{body}"
