"""The installed ``mapsos`` command in the place of mapserv: as CGI program and on the command line."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.peers.normalising import normalised_differences

from . import answers
from .answers import Answer, Call, run_program
from .cases import Case, capabilities, data_block, observations, post_observations, sensor
from .comparison import read_side
from .conftest import Ground
from .differences import EVERYWHERE
from .versions import mapserv_version

MAPSOS = Path(sys.executable).with_name("mapsos")


def run_mapsos(call: Call) -> Answer:
    if not MAPSOS.exists():
        pytest.fail(f"{MAPSOS} is not installed: pip install -e .")
    # Coverage of subprocesses needs its own variables; nothing else is inherited.
    extra = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return run_program(MAPSOS, replace(call, environ={**extra, **call.environ}))


CGI_CASES = (
    Case("capabilities", "gpkg", capabilities(), differs=("B-06",)),
    Case("observations", "gpkg", observations()),
    Case("data-block", "block_gpkg", data_block()),
    Case("exception", "gpkg", observations(offering="x")),
    Case("redirect", "gpkg", sensor(procedure="urn:ogc:def:procedure:S1")),
    Case("post", "gpkg", "", "POST", post_observations(), "text/xml"),
    Case("page", "missing", capabilities(), differs=("B-16",)),
    Case("no-method", "gpkg", capabilities(), environ={"REQUEST_METHOD": None}),
    Case("put", "gpkg", capabilities(), "PUT"),
    Case("arguments-of-the-web", "gpkg", capabilities(), arguments=("-v",), differs=("B-06",)),
)


@pytest.mark.parametrize("spoken", CGI_CASES, ids=lambda case: case.id)
def test_cgi_program(spoken: Case, ground: Ground) -> None:
    call = ground.call(spoken)
    ours, theirs = run_mapsos(call), ground.ask_mapserv(call, by_cgi=True)
    assert ours.exit_code == theirs.exit_code == 0, ours.complaint
    assert normalised_differences(read_side(ours), read_side(theirs), (*EVERYWHERE, *spoken.differs)) == []


def test_b_13_forwarded_headers_count_from_named_proxies_only(ground: Ground) -> None:
    spoken = Case(
        "forwarded",
        "env_built",
        capabilities(),
        environ={"HTTP_X_FORWARDED_HOST": "front.test", "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "192.0.2.7"},
        differs=("B-06",),
    )
    call = ground.call(spoken)
    theirs = read_side(ground.ask_mapserv(call, by_cgi=True))
    assert "https://front.test" in theirs.answer.text
    strangers = read_side(run_mapsos(call))
    assert "front.test" not in strangers.answer.text
    named = replace(call, environ={**call.environ, "MAPSOS_TRUSTED_PROXIES": "192.0.2.0/24"})
    assert "https://front.test" in run_mapsos(named).text


def command_line(ground: Ground, *arguments: str, **environ: str) -> Call:
    here = {"MAPSERVER_CONFIG_FILE": str(ground.root / "plain.conf"), **environ}
    return Call(here, arguments=tuple(one.replace("{root}", str(ground.root)) for one in arguments), folder=ground.root)


@pytest.mark.parametrize(
    "arguments",
    [
        ("QUERY_STRING=map={root}/maps/gpkg.map&" + observations(),),
        ("-nh", "QUERY_STRING=map={root}/maps/gpkg.map&" + observations()),
        ("QUERY_STRING=map={root}/maps/gpkg.map&" + observations(), "-nh"),
        ("-nh", "QUERY_STRING=map={root}/maps/gpkg.map&" + observations(offering="x")),
        ("-nh", "QUERY_STRING=map={root}/maps/gpkg.map&service=SOS&request=a b+c%20<d>&version=1.0.0"),
        ("-conf", "{root}/aliases.conf", "QUERY_STRING=map=five&" + observations(offering="x")),
        ("-nh", "QUERY_STRING=map={root}/maps/nowhere.txt&" + observations()),
    ],
    ids=["headers", "nh-before", "nh-after", "exception", "raw-query", "conf", "page"],
)
def test_command_line(arguments: tuple[str, ...], ground: Ground) -> None:
    call = command_line(ground, *arguments)
    ours, theirs = run_mapsos(call), ground.ask_mapserv(call, by_cgi=True)
    assert ours.exit_code == theirs.exit_code == 0, ours.complaint
    if "-nh" in arguments:
        assert ours.headers == theirs.headers == {}
        kind = {"content-type": "text/xml" if theirs.body.startswith(b"<?xml") else "text/html"}
        ours, theirs = replace(ours, headers=kind), replace(theirs, headers=kind)
    assert normalised_differences(read_side(ours), read_side(theirs), ()) == []


def test_version_line_has_the_form_of_mapserv(ground: Ground) -> None:
    call = command_line(ground, "-v")
    ours, theirs = run_mapsos(call), ground.ask_mapserv(call, by_cgi=True)
    form = r"\w+ version \d+\.\d+(\.\S+)?( [A-Z]+=\w+)+\n"
    # Since 8.4 it also names the versions of PROJ and GDAL.
    assert re.fullmatch(form, re.sub(r" (PROJ|GDAL) version [0-9.]+", "", theirs.text))
    assert re.fullmatch(form, ours.text)
    shared = {"SUPPORTS=PROJ", "SUPPORTS=SOS_SERVER", "INPUT=OGR", "INPUT=SHAPEFILE"}
    assert shared <= set(ours.text.split())
    assert shared <= set(theirs.text.split())
    assert ours.text.startswith("mapsos version ")


def test_help(ground: Ground) -> None:
    call = command_line(ground, "-h")
    ours, theirs = run_mapsos(call), ground.ask_mapserv(call, by_cgi=True)
    assert ours.exit_code == theirs.exit_code == 0
    for option in ("-v", "-nh", "-conf filename", "QUERY_STRING=value", "PATH_INFO=value"):
        assert option in ours.text
        assert option in theirs.text


def test_the_oracle_is_a_version_whose_facts_are_known() -> None:
    if not Path(answers.MAPSERV).exists():
        pytest.skip("mapserv is not installed")
    assert shutil.which(answers.MAPSERV)
    assert mapserv_version() in ((8, 0), (8, 4))
