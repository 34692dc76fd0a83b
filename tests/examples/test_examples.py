"""The examples: every map serves, every request is answered, every metadata key is shown."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings, read_settings
from mapsos.mapfile.keys import METADATA_KEYS
from mapsos.servers.routes import name_mapfiles, serve_only
from mapsos.web.messages import Request

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
MAPFILES = sorted(EXAMPLES.glob("mapfiles/*.map"))
REQUESTS = [line for line in (EXAMPLES / "requests.txt").read_text().splitlines() if line.startswith("/")]
ENVIRON = {"SERVER_NAME": "h", "SERVER_PORT": "80", "SCRIPT_NAME": "/sos"}


@pytest.fixture(scope="module")
def applications() -> dict[str, Application]:
    """One for each map, as `mapsos serve` has them."""
    mapfiles = name_mapfiles([str(path) for path in MAPFILES])
    return {name: Application(serve_only(Settings(), mapfiles, name)) for name in mapfiles}


@pytest.mark.parametrize("request_line", REQUESTS)
def test_every_request_is_answered(applications: dict[str, Application], request_line: str) -> None:
    name, _, query = request_line[1:].partition("?")
    response = applications[name].answer(Request("GET", query, environ=ENVIRON))
    body = b"".join(response.body)
    assert not response.error
    if "DescribeSensor" in query:
        assert body.rstrip().endswith(b"</sml:SensorML>")
    elif "GetObservation" in query:
        assert b"<om:member>" in body
        assert body.rstrip().endswith(b"</om:ObservationCollection>")
        if "om:Observation" in query:
            assert re.search(rb"<om:result>[^<]*[0-9]", body)
    else:
        assert body.rstrip().endswith(b"</sos:Capabilities>")


@pytest.mark.parametrize(
    ("request_part", "rows"),
    [("procedure=SFO", 168), ("observedProperty=precipitation", 6), ("carbon_dioxide", 52)],
)
def test_requests_select_what_their_titles_say(
    applications: dict[str, Application], request_part: str, rows: int
) -> None:
    (line,) = [line for line in REQUESTS if request_part in line]
    name, _, query = line[1:].partition("?")
    body = b"".join(applications[name].answer(Request("GET", query, environ=ENVIRON)).body)
    assert body.count(b"<om:member>") == rows


@pytest.mark.parametrize("mapfile", MAPFILES, ids=lambda path: path.stem)
def test_check_finds_no_error(mapfile: Path) -> None:
    from mapsos.check.report import check_mapfile

    assert [finding for finding in check_mapfile(str(mapfile)) if finding.level == "error"] == []


def test_the_complete_service_leaves_nothing_to_wish() -> None:
    from mapsos.check.report import check_mapfile

    found = check_mapfile(str(EXAMPLES / "mapfiles" / "weather.map"))
    # It is served under whatever address it was started with.
    assert [finding.key for finding in found if finding.level == "warning"] == ["sos_onlineresource"]


def test_every_key_is_shown_with_a_comment() -> None:
    text = (EXAMPLES / "mapfiles" / "every-key.map").read_text().lower()
    web, _, layer = text.partition("\n  layer\n")
    missing = []
    for key in METADATA_KEYS:
        section = web if key.level == "web" else layer
        spellings = [re.escape(spelling).replace("<item>", r"\w+") for spelling in key.spellings]
        if not re.search(rf'^\s*"(?:{"|".join(spellings)})"\s', section, re.M):
            missing.append(f"{key.level}: {key.pattern}")
    assert missing == []


def test_the_configuration_names_every_map() -> None:
    settings = read_settings({}, str(EXAMPLES / "mapsos.conf"))
    assert sorted(os.path.realpath(path) for path in settings.maps.values()) == [str(path) for path in MAPFILES]
    assert settings.mapfile is not None
    assert os.path.samefile(settings.mapfile, EXAMPLES / "mapfiles" / "weather.map")


@pytest.mark.parametrize("name", [path.stem for path in MAPFILES])
def test_mapserver_takes_the_maps_too(name: str) -> None:
    if shutil.which("mapserv") is None:
        pytest.skip("mapserv is not installed here")
    environ = ENVIRON | {
        "MAPSERVER_CONFIG_FILE": "mapsos.conf",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"map={name}&service=SOS&request=GetCapabilities",
    }
    done = subprocess.run(
        ["mapserv"], cwd=EXAMPLES, env=os.environ | environ, capture_output=True, timeout=60, check=True
    )
    assert b"<sos:ObservationOffering" in done.stdout
    assert done.stdout.rstrip().endswith(b"</sos:Capabilities>")
