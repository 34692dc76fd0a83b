"""Documents that are made whole, in memory, are bounded however many rows a client requests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.victim import ENVIRON, SOS, judge_any, open_victim, write_victim
from mapsos.app import Application
from mapsos.rest.resource import MAX_PAGE_ROWS
from mapsos.web.messages import Request

from .bounds import bounded

ROWS = 60_000
STATIONS = 3000
QUERY = "/exts/SosSOE/observations/query"


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many rows, long texts, and many stations, as CSV."""
    folder = tmp_path_factory.mktemp("rows")
    rows = (f"S{number % 9},2020-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z,{number}"
            for number in range(ROWS))  # fmt: skip
    (folder / "many.csv").write_text("station,time,value\n" + "\n".join(rows))
    long = (f"S1,2020-01-01T00:00:{number % 60:02d}Z,{'x' * 20_000}" for number in range(4000))
    (folder / "long.csv").write_text("station,time,value\n" + "\n".join(long))
    stations = (f"station {number},2020-01-01T00:00:00Z,1" for number in range(STATIONS))
    (folder / "stations.csv").write_text("station,time,value\n" + "\n".join(stations))
    layers = {name: f'CONNECTIONTYPE OGR CONNECTION "{folder}/{name}.csv"' for name in ("many", "long", "stations")}
    return write_victim(folder, layers, metadata='"sos_value_alias" "value"')


@pytest.fixture(scope="module")
def victim(mapfile: Path) -> Application:
    return open_victim(mapfile)


def ask(application: Application, query: str, path: str = QUERY) -> tuple[int, bytes]:
    response = application.answer(Request("GET", query, environ=ENVIRON | {"PATH_INFO": path}))
    return response.status, judge_any(response)[0]


@pytest.mark.parametrize("format", ["html", "pjson"])
@pytest.mark.parametrize("count", ["10001", "500000", "999999999999999"])
def test_pages_and_indented_json_have_a_bound_of_rows(victim: Application, format: str, count: str) -> None:
    with bounded(seconds=10, megabytes=300):
        status, body = ask(victim, f"f={format}&offering=many&resultRecordCount={count}")
    assert status == 200
    if format == "pjson":
        found = json.loads(body)
        assert len(found["observationData"]) == MAX_PAGE_ROWS
        assert found["exceededTransferLimit"] is True
    else:
        assert body.count(b"<tr") < MAX_PAGE_ROWS + 100
        assert f"resultOffset={MAX_PAGE_ROWS}".encode() in body


def test_pages_within_the_bound_are_whole(victim: Application) -> None:
    for count, offset, rows in ((9999, 0, 9999), (MAX_PAGE_ROWS, 50_000, 10_000), (MAX_PAGE_ROWS, 59_990, 10)):
        _, body = ask(victim, f"f=pjson&offering=many&resultRecordCount={count}&resultOffset={offset}")
        found = json.loads(body)
        assert len(found["observationData"]) == rows
        assert ("exceededTransferLimit" in found) == (offset + rows < ROWS)


def test_pages_together_have_every_row_once(victim: Application) -> None:
    seen: list[str] = []
    more = True
    while more:
        query = f"f=pjson&offering=many&resultRecordCount=500000&resultOffset={len(seen)}"
        found = json.loads(ask(victim, query)[1])
        seen += [f"{one['id']} {one['result']['value']}" for one in found["observationData"]]
        more = found.get("exceededTransferLimit", False)
    assert len(seen) == len(set(seen)) == ROWS


@pytest.mark.parametrize("format", ["json", "csv"])
def test_streams_have_no_bound(victim: Application, format: str) -> None:
    with bounded(seconds=20, megabytes=300):
        _, body = ask(victim, f"f={format}&offering=many&resultRecordCount=500000")
    assert body.count(b"\n") > ROWS


@pytest.mark.parametrize("format", ["html", "pjson"])
def test_long_texts_end_a_page_before_its_bound(victim: Application, format: str) -> None:
    """80 MB of text, of which a page shows a part, and says so."""
    with bounded(seconds=20, megabytes=700):
        status, body = ask(victim, f"f={format}&offering=long&resultRecordCount=4000")
    assert status == 200
    assert len(body) < 70_000_000
    if format == "pjson":
        found = json.loads(body)
        assert found["exceededTransferLimit"] is True
        assert 100 < len(found["observationData"]) < 4000


@pytest.mark.parametrize("format", ["html", "pjson", "json"])
@pytest.mark.parametrize("path", ["", "/observations", "/observations/stations", "/procedures", "/features",
                                  "/features/query"])  # fmt: skip
def test_resources_of_many_stations_are_bounded(victim: Application, path: str, format: str) -> None:
    """Their size is that of the data, never a number in the request."""
    with bounded(seconds=15, megabytes=300):
        status, body = ask(victim, f"f={format}", f"/exts/SosSOE{path}")
    assert status == 200
    assert len(body) < STATIONS * 3000
    if (path, format) == ("/procedures", "html"):
        assert body.count(b"<tr") < 1100
        assert b"The first 1000 of" in body


@pytest.mark.parametrize("format", ["html", "pjson", "json", "csv"])
def test_time_limit_ends_queries(mapfile: Path, format: str) -> None:
    status, body = ask(open_victim(mapfile, MAPSOS_MAX_SECONDS="0.000001"), f"f={format}&offering=many")
    assert status == 503
    assert b"time limit" in body


@pytest.mark.parametrize("format", ["html", "pjson"])
@pytest.mark.parametrize("path", ["", "/observations", "/observations/stations", "/procedures", "/features/query"])
def test_time_limit_ends_documents_of_known_facts(mapfile: Path, path: str, format: str) -> None:
    """The facts about the data are cached: what is left is writing."""
    hurried = open_victim(mapfile, MAPSOS_MAX_SECONDS="60")
    assert ask(hurried, "f=json", f"/exts/SosSOE{path}")[0] == 200
    hurried.settings = replace(hurried.settings, max_seconds=1e-6)
    status, body = ask(hurried, f"f={format}", f"/exts/SosSOE{path}")
    assert status == 503
    assert b"time limit" in body


@pytest.mark.parametrize(
    "query", ["GetFeatureOfInterest&FeatureOfInterestId=station+1,station+2", "GetDataAvailability"]
)
def test_time_limit_ends_documents_of_the_sos(mapfile: Path, query: str) -> None:
    hurried = open_victim(mapfile, MAPSOS_MAX_SECONDS="60")
    assert b"ExceptionReport" not in ask(hurried, SOS + query, "")[1]
    hurried.settings = replace(hurried.settings, max_seconds=1e-6)
    assert b"time limit" in ask(hurried, SOS + query, "")[1]
