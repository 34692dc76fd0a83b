"""The command line: mapserv's switches, and the commands of mapsos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos import __version__
from mapsos.command.cli import CgiArguments, UsageError, read_arguments
from tests.support.redirects import write_redirecting_config

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parents[2] / "examples"
ALONE = {"MAPSOS_CGI_WORKER": "off"}
WEATHER = str(EXAMPLES / "mapfiles" / "weather.map")
CAPABILITIES = "service=SOS&request=GetCapabilities"
SENSOR = "service=SOS&version=1.0.0&request=DescribeSensor&procedure=SEA&outputFormat=text/xml; subtype=sensorML/1.0.0"


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "HOME", "TMP"))}
    return subprocess.run(
        [COMMAND, *arguments], env=kept | ALONE | environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_version_is_one_line_of_tokens() -> None:
    done = run("-v")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(f"mapsos version {__version__} ")
    tokens = done.stdout.split()[3:]
    assert all(token.partition("=")[0] in ("OUTPUT", "SUPPORTS", "INPUT") for token in tokens)
    assert {f"SUPPORTS={name}" for name in ("PROJ", "SOS_SERVER", "TEXT_LOOPS")} <= set(tokens)
    assert {"INPUT=OGR", "INPUT=SHAPEFILE"} <= set(tokens)


def test_inputs_are_those_of_this_machine() -> None:
    from osgeo import ogr

    there = ogr.GetDriverByName("PostgreSQL") is not None
    assert ("INPUT=POSTGIS" in run("-v").stdout.split()) == there


def test_the_version_alone() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mapsos {__version__}\n", "")


@pytest.mark.parametrize(("argument", "begins"), [("-h", "Usage: mapsos [--help]"), ("--version", "mapsos ")])
def test_help_and_version_come_without_the_heavy_parts(argument: str, begins: str) -> None:
    script = (
        f"import sys; from mapsos.command.cli import main; code = main(['{argument}']);"
        "print(code, sorted({'osgeo', 'lxml', 'pyarrow', 'numpy', 'pyproj', 'mappyfile', 'werkzeug', 'shapely',"
        " 'gunicorn', 'uvicorn', 'asyncio', 'argparse'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(begins)
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("arguments", [("-h", "-v"), ("--help",), ("-nh", "-h")])
def test_help(arguments: tuple[str, ...]) -> None:
    assert (read_arguments(arguments).shown or "").startswith("Usage: mapsos")


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("-v", "-h"), "mapsos version"),
        (("--version", "-v"), f"mapsos {__version__}\n"),
        (("-h", "--version"), "Usage: mapsos"),
    ],
)
def test_the_first_of_version_and_help_wins(arguments: tuple[str, ...], begins: str) -> None:
    assert (read_arguments(arguments).shown or "").startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ((), CgiArguments()),
        (("-nh",), CgiArguments(headers=False)),
        (("-conf", "a.conf"), CgiArguments(conf="a.conf")),
        (("QUERY_STRING=a=b&c",), CgiArguments(environ=(("QUERY_STRING", "a=b&c"), ("REQUEST_METHOD", "GET")))),
        (("PATH_INFO=/x",), CgiArguments(environ=(("PATH_INFO", "/x"), ("REQUEST_METHOD", "GET")))),
    ],
)
def test_switches(arguments: tuple[str, ...], read: CgiArguments) -> None:
    assert read_arguments(arguments) == read


@pytest.mark.parametrize("arguments", [("--frob",), ("-V",), ("query",), ("QUERY=1",), ("-conf",), ("-nh", "serve")])
def test_what_is_unknown_is_refused_by_name(arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=arguments[-1]):
        read_arguments(arguments)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("serv", "x.map"), "unknown command: serv. Did you mean serve?"),
        (("--hlep",), "unknown argument: --hlep. Did you mean --help?"),
        (("QUERYSTRING=x",), "unknown argument: QUERYSTRING=x. Did you mean QUERY_STRING?"),
        (("serve", "--prot", "5", "x.map"), "unknown option --prot. Did you mean --port?"),
        (("check", "x.map", "--srtict=1"), "unknown option --srtict. Did you mean --strict?"),
        (("check", "x.map", "--nonsense"), "unknown option --nonsense\n"),
    ],
)
def test_misspelt_words_are_refused_with_what_was_meant(arguments: tuple[str, ...], meant: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert meant in done.stderr


def test_a_refusal_is_exit_code_2() -> None:
    done = run("--frob")
    assert done.returncode == 2
    assert "unknown argument: --frob" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("before", [True, False])
def test_a_query_on_the_command_line(before: bool) -> None:
    query = "QUERY_STRING=map=MINIMAL&" + CAPABILITIES
    arguments = ("-nh", query) if before else (query, "-nh")
    done = run(*arguments, "-conf", str(EXAMPLES / "mapsos.conf"))
    assert done.stdout.startswith("<?xml")
    assert "The weather of Seattle" in done.stdout


def test_headers_come_without_nh() -> None:
    done = run("QUERY_STRING=map=MINIMAL&" + CAPABILITIES, "-conf", str(EXAMPLES / "mapsos.conf"))
    assert done.stdout.startswith("Content-Type: text/xml; charset=UTF-8\n\n<?xml")


def test_without_headers_a_redirect_is_its_address(tmp_path: Path) -> None:
    done = run("-nh", "QUERY_STRING=" + SENSOR, "-conf", str(write_redirecting_config(tmp_path)))
    assert done.stdout == "https://example.org/sensors/SEA.xml\n"


@pytest.mark.parametrize("argument", ["-v", "-h", "--frob", "serve", "QUERY_STRING=x"])
def test_a_web_request_reads_no_arguments(argument: str) -> None:
    config = {"MAPSERVER_CONFIG_FILE": str(EXAMPLES / "mapsos.conf"), "REQUEST_METHOD": "GET"}
    done = run(argument, QUERY_STRING="map=MINIMAL&" + CAPABILITIES, **config)
    assert done.stdout.startswith("Content-Type: text/xml; charset=UTF-8\n\n<?xml")


@pytest.mark.parametrize("variable", ["REQUEST_METHOD", "GATEWAY_INTERFACE"])
@pytest.mark.parametrize("command", ["serve", "check", "get"])
def test_a_web_request_runs_no_command(command: str, variable: str) -> None:
    done = run(command, WEATHER, **{variable: "GET"})
    assert done.returncode == 2
    assert f"unknown argument: {command}" in done.stderr


def test_get_prints_a_body() -> None:
    done = run("get", WEATHER, CAPABILITIES)
    assert done.returncode == 0
    assert done.stdout.startswith("<?xml")
    assert 'xlink:href="http://localhost/weather?"' in done.stdout
    assert done.stderr == ""


def test_get_tells_errors_by_its_exit_code() -> None:
    done = run("get", WEATHER, "service=SOS&request=Nonsense")
    assert done.returncode == 1
    assert "ExceptionText" in done.stdout


def test_get_needs_a_mapfile(tmp_path: Path) -> None:
    done = run("get", str(tmp_path / "none.map"), CAPABILITIES)
    assert done.returncode == 2
    assert "mapfile not found" in done.stderr
    (tmp_path / "mapfile.txt").write_text("MAP END")
    done = run("get", str(tmp_path / "mapfile.txt"), CAPABILITIES)
    assert done.returncode == 2
    assert "MS_MAPFILE_PATTERN" in done.stderr


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (("serve",), "MAPFILE"),
        (("serve", "--frob", WEATHER), "--frob"),
        (("serve", "--port", "70000", WEATHER), "port"),
        (("serve", "--workers", "0", WEATHER), "--workers"),
        (("serve", "--thr", "1", WEATHER), "--thr"),
        (("serve", "none.map"), "mapfile not found: none.map"),
        (("serve", "--conf", "none.conf", WEATHER), "none.conf"),
        (("serve", "--requests", "none.txt", "--port", "0", WEATHER), "cannot read none.txt"),
        (("serve", "--host", "192.0.2.1", WEATHER), "cannot listen on 192.0.2.1"),
        (("serve", WEATHER, WEATHER), "two mapfiles have the name weather"),
        (("check",), "MAPFILE"),
        (("check", "--jso", WEATHER), "--jso"),
        (("check", "--mapserver", "new", WEATHER), "--mapserver"),
        (("get", WEATHER), "REQUEST"),
    ],
    ids=" ".join,
)
def test_commands_refuse_what_they_cannot_do(command: tuple[str, ...], wrong: str) -> None:
    done = run(*command)
    assert done.returncode == 2
    assert wrong in done.stderr


@pytest.mark.parametrize("command", ["serve", "check", "get"])
def test_commands_explain_themselves(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: mapsos {command}")


def test_check_reports_on_mapfiles() -> None:
    done = run("check", "--json", WEATHER, str(EXAMPLES / "mapfiles" / "minimal.map"))
    findings = json.loads(done.stdout)
    assert done.returncode == 0
    assert any(finding["file"].endswith("minimal.map") for finding in findings)
    assert run("check", "--strict", str(EXAMPLES / "mapfiles" / "minimal.map")).returncode == 1
