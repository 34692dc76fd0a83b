"""mapsos get: queries, URLs, paths and bodies; files; faulty maps; progress."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.command.progress import ReportedOutput, describe
from mapsos.command.requests import RequestError, ShellRequest, read_request

COMMAND = Path(sys.executable).parent / "mapsos"
ROOT = Path(__file__).parents[2]
WEATHER = str(ROOT / "examples" / "mapfiles" / "weather.map")
CAPABILITIES = "service=SOS&request=GetCapabilities"
FORM = "application/x-www-form-urlencoded"


def run(*arguments: str | Path, given: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "HOME", "TMP"))}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], env=kept | environ, input=given, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path", "query"),
    [
        ("service=SOS&a=b", "", "service=SOS&a=b"),
        ("?service=SOS", "", "service=SOS"),
        ("https://example.org/cgi-bin/mapserv?map=/srv/a.map&service=SOS&a=%20b", "", "service=SOS&a=%20b"),
        ("http://127.0.0.1:8080/weather?service=SOS#top", "", "service=SOS"),
        ("HTTP://h/weather?MAP=x", "", ""),
        ("/weather?service=SOS", "", "service=SOS"),
        ("/exts/SosSOE/procedures?f=json", "/exts/SosSOE/procedures", "f=json"),
        ("http://h/sensors/weather/exts/SosSOE", "/exts/SosSOE", ""),
        (
            "http://h/arcgis/rest/services/weather/MapServer/exts/SosSOE/procedures/K%C3%B6ln%2F1?f=json",
            "/exts/SosSOE/procedures/Köln/1", "f=json",
        ),
        ("http://h/weather/openapi.json", "/openapi.json", ""),
        ("/arcgis/rest/services?f=json", "/arcgis/rest/services", "f=json"),
        ("http://h/_mapsos/builder/weather", "/_mapsos/builder/weather", ""),
    ],
)  # fmt: skip
def test_what_is_asked(text: str, path: str, query: str) -> None:
    assert read_request(text, None, None) == ShellRequest(path, query)


@pytest.mark.parametrize(
    ("data", "stated", "kind"),
    [
        (CAPABILITIES, None, FORM),
        ("<GetCapabilities/>", None, "text/xml"),
        ("\ufeff  <?xml version='1.0'?><a/>", None, "text/xml"),
        ("<a/>", "application/soap+xml", "application/soap+xml"),
    ],
)
def test_a_body(tmp_path: Path, data: str, stated: str | None, kind: str) -> None:
    (tmp_path / "body").write_text(data, "utf-8")
    for given in (data, f"@{tmp_path / 'body'}"):
        request = read_request(None, given, stated)
        assert (request.body, request.content_type) == (data.encode(), kind)
        variables = request.list_variables("weather")
        assert (variables["REQUEST_METHOD"], variables["CONTENT_LENGTH"]) == ("POST", str(len(data.encode())))


def test_a_body_that_is_not_there() -> None:
    with pytest.raises(RequestError, match=r"cannot read none\.xml"):
        read_request(None, "@none.xml", None)
    with pytest.raises(RequestError, match="REQUEST"):
        read_request(None, None, None)


def test_rest_and_urls_are_answered() -> None:
    done = run("get", WEATHER, "http://127.0.0.1:8080/weather/exts/SosSOE/procedures?f=json")
    assert done.returncode == 0, done.stderr
    assert "procedures" in json.loads(done.stdout)
    done = run("get", WEATHER, "/exts/SosSOE/procedures/nobody?f=json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == 404


@pytest.mark.parametrize("form", ["argument", "file", "stdin", "form", "soap"])
def test_bodies_are_answered(tmp_path: Path, form: str) -> None:
    xml = '<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'
    soap = f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{xml}</e:Body></e:Envelope>'
    (tmp_path / "request.xml").write_text(xml)
    data = {"argument": xml, "file": f"@{tmp_path / 'request.xml'}", "stdin": "@-", "form": CAPABILITIES, "soap": soap}
    done = run("get", WEATHER, "--data", data[form], given=xml if form == "stdin" else None)
    if form == "soap":
        # Whether SOAP is answered is not the command's matter; it must arrive.
        assert done.stdout.startswith("<?xml")
    else:
        assert done.returncode == 0, done.stdout
        assert "<sos:Capabilities" in done.stdout


def test_an_answer_becomes_a_file_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "answer.xml"
    done = run("get", WEATHER, CAPABILITIES, "-o", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_text().rstrip().endswith("</sos:Capabilities>")
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    before = path.read_text()
    done = run("get", WEATHER, "service=SOS&request=Nonsense", "-o", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "ExceptionText" in done.stderr
    assert path.read_text() == before
    assert sorted(tmp_path.iterdir()) == [path]


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    assert run("get", WEATHER, CAPABILITIES, "-o", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()
    done = run("get", WEATHER, CAPABILITIES, "-o", tmp_path / "no" / "such")
    assert done.returncode == 2
    assert "cannot write" in done.stderr


@pytest.mark.parametrize("cached", [True, False])
def test_a_faulty_map_is_what_check_says_of_it(tmp_path: Path, cached: bool) -> None:
    """Not the map as it was before: its compiled form is still there."""
    mapfile = tmp_path / "examples" / "mapfiles" / "weather.map"
    for name in ("examples", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environ = {"MAPSOS_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    if cached:
        assert run("get", mapfile, CAPABILITIES, **environ).returncode == 0
        assert list((tmp_path / "cache").rglob("*weather*"))
    text = mapfile.read_text()
    mapfile.write_text(text.replace("STATUS ON", "STATUS ON\n    FILTER (area(shape) > 1)", 1))
    checked = run("check", mapfile, **environ)
    done = run("get", mapfile, CAPABILITIES, "-o", tmp_path / "out", **environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr
    assert done.stderr.splitlines()[0] in checked.stdout.splitlines()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [("check", WEATHER), ("check", "--json", WEATHER), ("help",), ("--help",), ("get", "--help"),
     ("init", str(ROOT / "data")), ("completion", "bash"), ("get", WEATHER, CAPABILITIES), ("-v",),
     ("nonsense",), ("check", "--nonsense")],
    ids=" ".join,
)  # fmt: skip
def test_a_closed_pipe_is_no_fault(arguments: tuple[str, ...]) -> None:
    """Nobody reads what the command writes, on either stream."""
    out, gone = os.pipe()
    os.close(out)
    errors, seen = os.pipe()
    try:
        process = subprocess.Popen([COMMAND, *arguments], stdout=gone, stderr=seen)
        os.close(seen)
        with open(errors, "rb") as said:
            text = said.read()
        code = process.wait(60)
        assert b"Traceback" not in text
        assert b"BrokenPipe" not in text
        assert code in (0, 2, 141)
        both = subprocess.run([COMMAND, *arguments], stdout=gone, stderr=gone, timeout=60, check=False)
        assert both.returncode in (0, 141)
    finally:
        os.close(gone)


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsos.command.progress.PATIENCE", 0.0)
    monkeypatch.setattr("mapsos.command.progress.INTERVAL", 0.0)
    for terminal in (io.StringIO(), None):
        output = io.BytesIO()
        reported = ReportedOutput(output, terminal)
        for _ in range(3):
            reported.write(b"12345")
        reported.finish()
        assert output.getvalue() == b"12345" * 3
        if terminal is not None:
            lines = terminal.getvalue().split("\r")
            assert lines[1].startswith("5 B received, ")
            # In the end the line is empty.
            assert lines[-2].strip() == lines[-1] == ""


def test_sizes_are_for_people() -> None:
    assert describe(999, 1) == "999 B received, 999 B/s, 1 s"
    assert describe(12_345_678, 2) == "12.3 MB received, 6.2 MB/s, 2 s"


def test_usage_on_a_terminal_without_arguments() -> None:
    """Elsewhere it is the text of MapServer's CGI program."""
    assert "initiated as a CGI process" in run().stdout
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND], stdout=theirs, stdin=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    assert process.wait(60) == 0
    assert said.startswith(b"Usage: mapsos ")
