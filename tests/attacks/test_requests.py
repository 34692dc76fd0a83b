"""Values and names that would be SQL, paths or URLs if anybody let them; headers; and what answers tell."""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.victim import BROKEN, ENVIRON, FOLDER_SECRET, GOOD, SOS, get, judge, observe, open_victim, post, read
from fuzz.victim import write_victim as write
from mapsos.app import Application
from mapsos.config.trusted_proxies import read_trusted_proxies
from mapsos.web.messages import Response
from mapsos.web.proxies import correct_environ
from tests.attacks.listener import Listener

from .bounds import bounded
from .injections import INJECTIONS

COMPARISON = "<PropertyIs{0}><PropertyName>{1}</PropertyName><Literal>{2}</Literal></PropertyIs{0}>"
FAULT = "&<>"


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.fixture(scope="module")
def mapfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("victim"))


@pytest.fixture(scope="module")
def victim(mapfile: Path) -> Iterator[Application]:
    """No answer changes a file of the data, whatever was asked."""
    before = digests(mapfile.parent)
    yield open_victim(mapfile)
    assert digests(mapfile.parent) == before


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()
            if file.is_file() and not file.is_symlink()}  # fmt: skip


def members(text: bytes) -> int:
    return text.count(b"<om:member>")


@pytest.mark.parametrize("offering", ["table", "rows"])
@pytest.mark.parametrize("value", INJECTIONS)
def test_values_and_names_are_never_sql(victim: Application, offering: str, value: str) -> None:
    """As a literal it equals nothing but itself; as a name it is none; anywhere else it is refused."""
    text = escape(value)
    for operator in ("EqualTo", "GreaterThan"):
        for name in ("station", "value", "time"):
            literal = judge(victim.answer(get(observe(offering, result=COMPARISON.format(operator, name, text)))))
            # What is greater is for the order of texts to say.
            assert operator == "GreaterThan" or members(literal) == 0
    named = judge(victim.answer(get(observe(offering, result=COMPARISON.format("EqualTo", text, "x")))))
    assert b"ExceptionReport" in named or value in ("rowid", "OGR_GEOMETRY")
    assert members(named) == 0
    for parameter in ("procedure", "featureOfInterest", "eventTime", "bbox", "srsName"):
        assert members(judge(victim.answer(get(observe(offering, **{parameter: value}))))) == 0, parameter


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("name", ["offering", "observedProperty", "procedure"])
def test_names_in_bodies_are_never_sql(victim: Application, name: str, value: str) -> None:
    values = {"offering": "table", "observedProperty": "weather", "procedure": "S1"} | {name: value}
    inner = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in values.items())
    body = (
        '<GetObservation xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">'
        f'{inner}<responseFormat>text/xml; subtype="om/1.0.0"</responseFormat></GetObservation>'
    )
    assert members(judge(victim.answer(post(body.encode())))) == 0


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.sampled_from("'\"\\;-% _/*ORS1=()\n")), name=st.sampled_from(["station", "value", "time"]))
def test_any_literal_equals_itself_alone(value: str, name: str) -> None:
    from fuzz.filters import check

    check(COMPARISON.format("EqualTo", name, escape(value)).encode())


LIKE = (
    '<PropertyIsLike wildCard="%" singleChar="_" escapeChar="!"><PropertyName>text</PropertyName>'
    "<Literal>{}</Literal>"
)
COSTLY = {
    "wildcards": LIKE.format("%a" * 500) + "</PropertyIsLike>",
    "single characters": LIKE.format("_%" * 500) + "</PropertyIsLike>",
    "a long pattern": LIKE.format("a" * 1_000_000) + "</PropertyIsLike>",
    "operands": f"<Or>{COMPARISON.format('EqualTo', 'text', 'x') * 660}</Or>",
    "more operands": f"<Or>{COMPARISON.format('EqualTo', 'text', 'x') * 20_000}</Or>",
    "likes": f"<Or>{(LIKE.format('%a%b%c%') + '</PropertyIsLike>') * 660}</Or>",
    "a long literal": COMPARISON.format("EqualTo", "text", "x" * 1_000_000),
    "a long number": COMPARISON.format("EqualTo", "value", "9" * 1_000_000),
    "a large exponent": COMPARISON.format("LessThan", "value", "1e999999999"),
    "a small exponent": COMPARISON.format("LessThan", "value", "1e-999999999"),
    "a polygon": "<Intersects><PropertyName>g</PropertyName><Polygon><exterior><LinearRing><posList>"
    f"{'0 0 1 1 ' * 50_000}0 0</posList></LinearRing></exterior></Polygon></Intersects>",
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_filters_are_bounded(victim: Application, name: str) -> None:
    form = observe("rows").encode() + b"&result=" + quote(COSTLY[name]).encode()
    with bounded(seconds=20, megabytes=600):
        judge(victim.answer(post(form, "application/x-www-form-urlencoded")))


QUERIES = {
    "pairs": "&".join(f"a{n}=1" for n in range(500_000)),
    "the same": "service=SOS&" * 500_000,
    "ampersands": "&" * 5_000_000,
    "percents": "service=" + "%" * 5_000_000,
    "times": observe("table", eventTime="2020-01-01," * 100_000),
    "repeated times": observe("table") + "&eventTime=2020-01-01,2020-01-02" * 900,
    "procedures": observe("table", procedure=",".join(f"S{n}" for n in range(300_000))),
    "features": observe("table", featureOfInterest=",".join(f"S{n}" for n in range(300_000))),
    "digits": observe("table", bbox="1" * 1_000_000 + ",1,1,1"),
    "a period": observe("table", eventTime="2020/P" + "9" * 1_000_000 + "Y"),
    "slashes": observe("table", eventTime="/" * 1_000_000),
    "a format": observe("table", responseFormat="x" * 1_000_000),
    "sections": "service=SOS&request=GetCapabilities&sections=" + "a," * 500_000,
}


@pytest.mark.parametrize("name", QUERIES)
def test_oversized_parameters_are_bounded(victim: Application, name: str) -> None:
    with bounded(seconds=20, megabytes=600):
        text = judge(victim.answer(post(QUERIES[name].encode(), "application/x-www-form-urlencoded")))
    assert len(text) < 100_000


@pytest.mark.parametrize(
    "value",
    [
        "/etc/passwd", "/etc/passwd%00.map", "{home}/../{name}/victim.map", "{home}//victim.map", "{home}/./victim.map",
        "{home}/link.map", "{home}/victim.map/", "{home}/victim.map ", "{home}\\victim.map", "file://{home}/victim.map",
        "/vsicurl/http://127.0.0.1:{port}/x.map", "/vsizip/{home}/x.zip/a.map", "/vsimem/x.map",
        "http://127.0.0.1:{port}/x.map",
        "{home}/rows.vrt", "{home}/table.gpkg", "PG:host=127.0.0.1 port={port}", "<OGRVRTDataSource/>",
        "MYSQL:x,host=127.0.0.1",
        "PG:dbname=x", "/vsimem/../{home}/table.gpkg", "ODBC:x", "postgresql://127.0.0.1:{port}/x",
        "%2e%2e/victim.map", "~/victim.map", "$HOME/victim.map", "VICTIM.MAP", "victim", "{home}/victim.map\n",
        "\\\\host\\x.map",
        "{home}/%76ictim.map%00", "/proc/self/environ", "/dev/stdin", "/dev/zero",
    ],
)  # fmt: skip
@pytest.mark.parametrize("pattern", [None, r"^/nowhere/.*\.map$"])
def test_maps_are_those_that_are_admitted(mapfile: Path, value: str, pattern: str | None) -> None:
    """What is not admitted is neither opened nor told apart from what is not there."""
    link = mapfile.parent / "link.map"
    if not link.exists():
        link.symlink_to("/etc/passwd")
    listener = Listener()
    options = {} if pattern is None else {"MS_MAP_PATTERN": pattern}
    application = open_victim(mapfile, **options)
    asked = value.format(home=mapfile.parent, name=mapfile.parent.name, port=listener.port)
    text = judge_page(application.answer(get(f"map={quote(asked, safe='%')}&service=SOS&request=GetCapabilities")))
    assert b"Capabilities" not in text.replace(b"msSOSGetCapabilities", b"")
    assert b"root:" not in text
    assert not listener.touched.is_set()
    listener.close()


def judge_page(response: Response) -> bytes:
    body = read(response)
    assert FOLDER_SECRET.encode() not in body
    assert body.startswith((b"<HTML>", b"<?xml"))
    return body


@pytest.mark.parametrize("target", ["x.csv", "rows.csv", "/etc/passwd"])
def test_a_pattern_admits_names_not_what_links_hide(mapfile: Path, tmp_path: Path, target: str) -> None:
    """A link among the maps leads to what is no map: its content is not shown."""
    (tmp_path / "link.map").symlink_to(target if target.startswith("/") else mapfile.parent / target)
    application = open_victim(mapfile, MS_MAP_PATTERN=rf"^{tmp_path}/[a-z]+\.map$")
    text = read(application.answer(get(f"map={tmp_path}/link.map&service=SOS&request=GetCapabilities")))
    assert text.startswith(b"<HTML>")
    assert b"root:" not in text
    assert b"station,time" not in text


URLS = ("http://127.0.0.1:{}/a", "/vsicurl/http://127.0.0.1:{}/a.csv", "PG:host=127.0.0.1 port={}", "WFS:http://127.0.0.1:{}/")


@pytest.mark.parametrize("url", URLS)
def test_no_request_makes_it_ask_the_network(victim: Application, url: str) -> None:
    """Not in any parameter or header; the mapfile alone says where data are."""
    listener = Listener()
    asked = url.format(listener.port)
    for name in ("offering", "observedProperty", "procedure", "featureOfInterest", "eventTime", "result", "bbox",
                 "srsName", "responseFormat", "map", "mode"):  # fmt: skip
        values = {"offering": "table", "observedProperty": "weather"} | {name: asked}
        query = SOS + "GetObservation" + "".join(f"&{key}={quote(value)}" for key, value in values.items())
        judge(victim.answer(get(query)))
    envelope = f'<Envelope srsName="{asked}"><lowerCorner>0 0</lowerCorner></Envelope>'
    srs = f"<BBOX><PropertyName>g</PropertyName>{envelope}</BBOX>"
    judge(victim.answer(get(observe("table", result=srs, featureOfInterest=srs))))
    judge(victim.answer(get("service=SOS&request=GetCapabilities", HTTP_REFERER=asked, HTTP_HOST=asked)))
    assert not listener.touched.is_set()
    listener.close()


def test_a_map_that_names_the_network_reaches_it(tmp_path: Path) -> None:
    """The counterpart: the same listener is touched when the mapfile itself says so."""
    listener = Listener()
    connection = f'CONNECTIONTYPE OGR CONNECTION "/vsicurl/http://127.0.0.1:{listener.port}/rows.csv"'
    mapfile = write(tmp_path, {"remote": connection})
    assert b"ExceptionReport" in judge(open_victim(mapfile).answer(get(observe("remote"))))
    assert listener.touched.wait(60)
    listener.close()


@pytest.mark.parametrize(
    "value", ["S0\r\nSet-Cookie: a=b", "S0%0d%0aX: y", "S0\nX: y", "//evil.example/", "S0\x00", "é S0"]
)
def test_redirects_go_where_the_map_says(tmp_path: Path, value: str) -> None:
    """A procedure of that very name, in the data: it is a path below the URL of the map, and one header."""
    mapfile = write(tmp_path)
    rows = (mapfile.parent / "rows.csv").read_text()
    (mapfile.parent / "rows.csv").write_text(rows + f'"{value}",2020-01-01T00:00:00Z,1,a\n', newline="")
    application = open_victim(mapfile)
    sensor = SOS + 'DescribeSensor&outputFormat=text/xml;subtype="sensorML/1.0.0"&procedure='
    response = application.answer(get(sensor + quote(value)))
    judge(response)
    if response.status == 302:
        location = dict(response.headers)["Location"]
        assert location.isascii()
        assert location.startswith("https://example.org/sensors/")
        assert "//" not in location.removeprefix("https://")
    response = application.answer(get(SOS + f"DescribeObservationType&observedProperty={quote(value)}"))
    judge(response)
    assert response.status == 200


FORGED = {
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "javascript",
    "HTTP_X_FORWARDED_PORT": "6666",
    "HTTP_X_FORWARDED_FOR": "evil.example",
    "HTTP_FORWARDED": "host=evil.example;proto=https;for=evil.example",
    "HTTP_X_FORWARDED_SERVER": "evil.example",
    "HTTP_X_FORWARDED_PREFIX": "/evil.example",
    "HTTP_X_ORIGINAL_URL": "/evil.example",
    "HTTP_X_REWRITE_URL": "/evil.example",
    "HTTP_SCRIPT_NAME": "/evil.example",
    "HTTP_HOST": 'evil.example"><x y="',
    "HTTP_PROXY": "http://evil.example:1",
}


@pytest.mark.parametrize("name", FORGED)
def test_headers_of_strangers_poison_nothing(victim: Application, name: str) -> None:
    sensor = SOS + 'DescribeSensor&outputFormat=text/xml;subtype="sensorML/1.0.0"&procedure=S0'
    for trusted in ("", "192.0.2.1"):
        headers = correct_environ(ENVIRON | {name: FORGED[name]}, read_trusted_proxies(trusted))
        for query in ("service=SOS&request=GetCapabilities", SOS + "DescribeObservationType&observedProperty=weather",
                      sensor):  # fmt: skip
            response = victim.answer(get(query, **{name: ""} | headers))
            assert b"evil.example" not in judge(response)
            assert "evil.example" not in repr(response.headers)


@pytest.mark.parametrize(
    "headers",
    [{"HTTP_X_FORWARDED_HOST": "good.example"}, {"HTTP_FORWARDED": "host=good.example"},
     {"HTTP_X_FORWARDED_HOST": "evil.example, good.example"}],
)  # fmt: skip
def test_a_trusted_proxy_says_what_clients_call_it(victim: Application, headers: dict[str, str]) -> None:
    """The counterpart; of a list, what the proxy appended."""
    told = correct_environ(ENVIRON | headers, read_trusted_proxies(ENVIRON["REMOTE_ADDR"]))
    text = judge(victim.answer(get("service=SOS&request=GetCapabilities", **told)))
    assert b'xlink:href="http://good.example/' in text
    assert b"evil.example" not in text


@pytest.mark.parametrize(
    "host", ['a"><x y="', "a b", "a/b", "a?b", "a#b", "evil.example\\@good", "<script>", "a\u0000b"]
)
def test_what_is_no_host_is_escaped_or_left_out(victim: Application, mapfile: Path, host: str) -> None:
    """Also where a proxy that is trusted hands it on, and where the server took it for its name."""
    trusting = open_victim(mapfile, MAPSOS_TRUSTED_PROXIES="203.0.113.9")
    for application, header in ((trusting, "HTTP_X_FORWARDED_HOST"), (victim, "SERVER_NAME")):
        told = correct_environ(ENVIRON | {header: host}, application.settings.trusted_proxies)
        text = judge(application.answer(get("service=SOS&request=GetCapabilities", **told)))
        assert b"<script>" not in text
        assert b'"><x' not in text


@pytest.mark.parametrize("level", ["off", "on"])
def test_no_failure_tells_paths_drivers_or_passwords(
    tmp_path: Path, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every operation on every layer that fails, in every way that a request can be wrong."""
    application = open_victim(write(tmp_path, GOOD | BROKEN), MAPSOS_HTTP_STATUS=level)
    (tmp_path / FOLDER_SECRET / "shapeless.shp").write_bytes(b"no shapefile")
    queries = ["service=SOS&request=GetCapabilities", "service=SOS", "request=x", "", "map=x", "map=" + str(tmp_path)]
    for offering in (*GOOD, *BROKEN, "none"):
        queries += [
            observe(offering),
            observe(offering, eventTime="latest"),
            observe(offering, procedure="S1", resultModel="om:Observation"),
            observe(offering, featureOfInterest="S1"),
            observe(offering, bbox="0,0,1,1", srsName="EPSG:999999"),
            observe(offering, result=COMPARISON.format("EqualTo", "station", "S1")),
            observe(offering, result=FAULT),
        ]
    for procedure in ("S1", "none"):
        queries.append(SOS + f'DescribeSensor&outputFormat=text/xml;subtype="sensorML/1.0.0"&procedure={procedure}')
    queries.append(SOS + "DescribeObservationType&observedProperty=none")
    drivers = (b"GDAL", b"GPKG", b"SQLite", b"sqlite", b"PostgreSQL", b"libpq", b"ESRI", b"OGR", b"Errno", b"could not",
               b"127.0.0.1", b"osgeo", b"pyarrow", b"lxml", b"mapsos version", b"MapServer version")  # fmt: skip
    for query in queries:
        text = judge(application.answer(get(query)))
        for word in drivers:
            assert word not in text, (query, word, text)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    "place",
    [
        "mapsos.sos.v1.get_observation:plan_observations", "mapsos.sos.v1.get_capabilities:group_offerings",
        "mapsos.sos.v1.interface:check_parameters", "mapsos.sos.v1.interface:decode_request",
        "mapsos.sos.v1.interface:find_operation",
    ],
)  # fmt: skip
def test_failures_of_our_own_tell_nothing(mapfile: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever is raised, wherever: its text is for the log."""
    module, name = place.split(":")
    loaded = importlib.import_module(module)
    logging.getLogger("mapsos").setLevel(logging.CRITICAL)

    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError(f"{mapfile} password=hunter2 Traceback SQLite")

    monkeypatch.setattr(loaded, name, fail)
    application = open_victim(mapfile)
    for query in ("service=SOS&request=GetCapabilities", observe("table")):
        text = read(application.answer(get(query)))
        assert b"hunter2" not in text
        assert FOLDER_SECRET.encode() not in text
        assert b"Traceback" not in text


def test_the_version_is_not_told_when_switched_off(mapfile: Path) -> None:
    import mapsos

    text = read(open_victim(mapfile).answer(get("service=SOS&request=GetCapabilities")))
    assert mapsos.__version__.encode() not in text.replace(b'version="1.0.0"', b"").replace(b"1.0.0", b"")


@pytest.mark.slow
def test_memory_is_bounded_by_the_kernel(mapfile: Path) -> None:
    """The largest body that is read, of each kind, in a process that may have 1.5 GB of addresses more."""
    program = """
        import resource, sys
        from fuzz.victim import get, judge, observe, open_victim, post
        from pathlib import Path

        application = open_victim(Path(sys.argv[1]))
        judge(application.answer(get(observe("rows"))))
        pages = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (pages + 1536 * 2**20,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
        size = 8 * 2**20 - 1000
        units = b"<a>", b"<a/>", b"<a b='c'/>", b"a=b&", b"%41", b"&amp;", b" ", b"<!-- -->", b"\\xff", b"\\0", b"''"
        for unit in units:
            for start in (b"", b"<x>", b"service=SOS&result=", b"service=SOS&eventTime="):
                judge(application.answer(post((start + unit * (size // len(unit)))[:size])))
        print("alive")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), mapfile],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"MAPSOS_LOG_LEVEL": "critical"},
        check=False,
    )
    assert done.stdout == "alive\n", done.stderr[-2000:]


