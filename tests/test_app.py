"""The application as a whole: what is no good request gets a good answer, whatever it is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.messages import Request, Response, close_body

REPOSITORY = Path(__file__).resolve().parents[1]
WEATHER = REPOSITORY / "examples" / "mapfiles" / "weather.map"
OWS = "{http://www.opengis.net/ows/1.1}"
ROOTS = {
    f"{OWS}ExceptionReport",
    "{http://www.opengis.net/sos/1.0}Capabilities",
    "{http://www.opengis.net/om/1.0}ObservationCollection",
}
SOS = "service=SOS&version=1.0.0&request="
DAILY = (
    SOS + "GetObservation&offering=hourly&observedProperty=air_temperature"
    "&responseFormat=text/xml;subtype=om/1.0.0&procedure=SEA&eventTime=2010-07-04"
)
ENVIRON = {
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "/cgi",
    "REMOTE_ADDR": "127.0.0.1",
}


@pytest.fixture(scope="module")
def application() -> Application:
    return make_application({})


def make_application(options: Mapping[str, str]) -> Application:
    return Application(read_settings({"MS_MAPFILE": str(WEATHER), "MAPSOS_CACHE": "off", **options}))


def post(body: bytes, content_type: str = "text/xml", query: str | None = "", length: int | None = -1) -> Request:
    return Request("POST", query, content_type, len(body) if length == -1 else length, io.BytesIO(body).read, ENVIRON)


def get(query: str | None, method: str = "GET") -> Request:
    return Request(method, query, environ=ENVIRON)


def read(response: Response) -> bytes:
    try:
        return b"".join(response.body)
    finally:
        close_body(response.body)


def refusal(response: Response) -> tuple[str | None, str | None]:
    exception = etree.fromstring(read(response)).find(f"{OWS}Exception")
    assert exception is not None
    return exception.get("exceptionCode"), exception.get("locator")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("request=GetCapabilities", ("MissingParameterValue", "service")),
        ("service=ASDF&request=GetCapabilities", ("InvalidParameterValue", "service")),
        ("service=WMS&request=GetCapabilities", ("InvalidParameterValue", "service")),
        ("service=SOS", ("MissingParameterValue", "request")),
        ("service=SOS&request=GetMeASandwich", ("InvalidParameterValue", "request")),
        ("request~GetCapabilities!service~!SOS", ("MissingParameterValue", "service")),
        ("service=SOS&request=GetObservation", ("MissingParameterValue", "version")),
        ("service=SOS&request=GetObservation&version=2.0.0", ("InvalidParameterValue", "version")),
        (
            "service=SOS&request=GetCapabilities&acceptversions=2000-01-01",
            ("VersionNegotiationFailed", "acceptversions"),
        ),
        ("service=SOS&request=GetCapabilities&section=All", ("InvalidParameterValue", "section")),
        (SOS + "GetObservation&offering=a&offering=b", ("InvalidParameterValue", "offering")),
        (SOS + "GetObservation&offering=%ff%fe", ("InvalidParameterValue", "offering")),
    ],
)
def test_faulty_query_is_refused_by_name(application: Application, query: str, expected: tuple[str, str]) -> None:
    assert refusal(application.answer(get(query))) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"test", ("MissingParameterValue", "request")),
        (b"", ("MissingParameterValue", "request")),
        (b"<GetCapabilities", ("MissingParameterValue", "request")),
        (b"<a/>", ("MissingParameterValue", "service")),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", None),
        (b"<a>" * 100_000, None),
        (b"\xff\xfe\x00", None),
    ],
)
def test_faulty_body_gets_an_exception_report(
    application: Application, body: bytes, expected: tuple[str, str] | None
) -> None:
    found = refusal(application.answer(post(body)))
    assert found == expected if expected else found[0]


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/xml; charset=utf-8", "text/plain", "image/png"])
@pytest.mark.parametrize("service", ['service="SOS"', ""])
def test_xml_body_is_read_whatever_its_content_type(application: Application, content_type: str, service: str) -> None:
    body = f'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" {service}/>'.encode()
    root = etree.fromstring(read(application.answer(post(body, content_type))))
    assert etree.QName(root).localname == "Capabilities"


@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded", "text/plain"])
def test_form_body_is_read_also_without_its_content_type(application: Application, content_type: str) -> None:
    response = application.answer(post(b"service=SOS&request=GetCapabilities", content_type))
    assert etree.QName(etree.fromstring(read(response))).localname == "Capabilities"


def test_body_over_the_limit_is_refused_unread() -> None:
    application = make_application({"MAPSOS_MAX_BODY": "1000"})
    for length in (1001, None):
        response = application.answer(post(b" " * 1001, length=length))
        assert response.status == 413
        assert refusal(response) == ("NoApplicableCode", "request")


def test_body_shorter_than_announced_gets_the_page(application: Application) -> None:
    text = read(application.answer(post(b"<a/>", length=100)))
    assert b"readPostBody(): Web application error. POST body is short." in text


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (get(SOS + "GetCapabilities", "PUT"), "loadParams(): Web application error. This script should be referenced"),
        (
            get(""),
            "loadParams(): Web application error. No query information to decode. QUERY_STRING is set, but empty.",
        ),
        (get("map=nowhere&service=SOS"), "Required configuration value MS_MAP_PATTERN not set."),
        (get("mode=bogus&service=SOS"), "msCGISetMode(): Web application error. Invalid mode."),
    ],
)
def test_what_has_no_service_gets_the_page(application: Application, request_: Request, text: str) -> None:
    response = application.answer(request_)
    assert dict(response.headers)["Content-Type"] == "text/html"
    assert text in read(response).decode()


def test_post_can_be_switched_off() -> None:
    application = make_application({"MS_NO_POST": "1"})
    assert b"METHOD of GET" in read(application.answer(post(b"service=SOS", "")))


def test_head_has_the_headers_and_no_body(application: Application) -> None:
    whole, head = application.answer(get(DAILY)), application.answer(get(DAILY, "HEAD"))
    assert (head.status, head.headers) == (whole.status, whole.headers)
    assert read(head) == b""
    assert b"om:member" in read(whole)


def test_head_reads_no_observation(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsos.operations.observe.ObservationBody", None)
    assert application.answer(get(DAILY, "HEAD")).status == 200


def test_documents_are_compressed_when_asked_for(application: Application) -> None:
    request = Request("GET", DAILY, environ={**ENVIRON, "HTTP_ACCEPT_ENCODING": "gzip"})
    response = application.answer(request)
    assert dict(response.headers)["Content-Encoding"] == "gzip"
    assert zlib.decompress(read(response), 31) == read(application.answer(get(DAILY)))


def test_capabilities_that_the_client_has_are_not_sent_again(application: Application) -> None:
    query = "service=SOS&request=GetCapabilities"
    tag = dict(application.answer(get(query)).headers)["ETag"]
    response = application.answer(Request("GET", query, environ={**ENVIRON, "HTTP_IF_NONE_MATCH": tag}))
    assert (response.status, read(response)) == (304, b"")
    assert "ETag" not in dict(application.answer(get(DAILY)).headers)


def test_command_line_gets_no_headers_that_mapserver_lacks(application: Application) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "SERVER_PROTOCOL"}
    response = application.answer(Request("GET", "service=SOS&request=GetCapabilities", environ=environ))
    assert response.headers == (("Content-Type", "text/xml; charset=UTF-8"),)


def test_status_codes_are_real_when_switched_on() -> None:
    application = make_application({"MAPSOS_HTTP_STATUS": "on"})
    assert application.answer(get("service=SOS&request=x")).status == 400
    assert application.answer(get(SOS + "GetCapabilities", "PUT")).status == 405
    assert application.answer(get("map=x&service=SOS")).status == 404


def test_failure_of_our_own_is_a_report_that_tells_nothing(
    application: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mapsos.sos.v1.get_capabilities.write_capabilities", lambda markup: 1 / 0)
    response = application.answer(get("service=SOS&request=GetCapabilities"))
    text = read(response).decode()
    assert "division" not in text
    reference = text.split("under reference ")[1].split(".")[0]
    assert f"reference {reference}" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_failure_that_cannot_be_reported_is_answered_too(
    application: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mapsos.sos.v1.interface.write_report", lambda *arguments: 1 / 0)
    response = application.answer(get("service=SOS&request=nothing"))
    text = read(response).decode()
    assert response.status == 500
    assert "division" not in text
    assert text.split("under reference ")[1].split(".")[0] in caplog.text


NAMES = st.sampled_from(
    ["service", "version", "request", "offering", "observedProperty", "procedure", "eventTime", "featureOfInterest"]
    + ["result", "resultModel", "responseFormat", "responseMode", "srsName", "bbox", "sections", "map", "mode", "x"]
)
PARTS = st.sampled_from(
    [
        "SOS",
        "1.0.0",
        "GetObservation",
        "GetCapabilities",
        "DescribeSensor",
        "hourly",
        "air_temperature",
        "SEA",
        "latest",
    ]
    + ["2010-07-04", "2010/2011", "<gml:TimePeriod>", "</Filter>", "<Filter>", "BBOX:1,2,3,4", "'", "`", "%", "&", "\0"]
    + ['text/xml; subtype="om/1.0.0"', "EPSG:4326", "om:Observation", "<PropertyIsNull>", "urn:ogc:def:procedure:", "/"]
)
VALUES = st.one_of(PARTS, st.lists(PARTS, max_size=4).map("".join), st.text(max_size=20))
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=150, suppress_health_check=SUPPRESSED)
@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=8), good=st.booleans())
def test_any_query_gets_an_answer(application: Application, pairs: list[tuple[str, str]], good: bool) -> None:
    known = dict(pair.split("=", 1) for pair in DAILY.split("&")) if good else {}
    query = urlencode({**known, **dict(pairs)}, errors="replace")
    check_answer(application.answer(get(query)))


@settings(max_examples=100, suppress_health_check=SUPPRESSED)
@given(st.one_of(st.binary(max_size=200), st.lists(PARTS, max_size=12).map(lambda parts: "".join(parts).encode())))
def test_any_body_gets_an_answer(application: Application, body: bytes) -> None:
    check_answer(application.answer(post(body)))


@settings(max_examples=100, suppress_health_check=SUPPRESSED)
@given(st.binary(max_size=60))
def test_any_bytes_as_query_get_an_answer(application: Application, data: bytes) -> None:
    check_answer(application.answer(get("service=SOS&" + quote(data, safe="&=%+"))))


def check_answer(response: Response) -> None:
    headers = dict(response.headers)
    body = read(response)
    if headers.get("Content-Type") == "text/html":
        assert body.startswith(b"<HTML>")
    elif response.status == 302:
        assert headers["Location"].isascii()
    else:
        root = etree.fromstring(body)
        assert root.tag in ROOTS
        assert b"under reference" not in body, body.decode()


def find_validator() -> Path | None:
    named = os.environ.get("MAPSOS_OGC_SCHEMAS")
    folders = [Path(named)] if named else [folder / "shared" / "ogc-schemas" for folder in REPOSITORY.parents]
    return next((folder / "validate.py" for folder in folders if (folder / "validate.py").is_file()), None)


@pytest.mark.skipif(find_validator() is None, reason="the OGC schemas are not at hand: set MAPSOS_OGC_SCHEMAS")
def test_capabilities_and_reports_are_valid(application: Application, tmp_path: Path) -> None:
    requests = {
        "capabilities": "service=SOS&request=GetCapabilities",
        "contents": "service=SOS&request=GetCapabilities&sections=Contents",
        "nothing": "service=SOS&request=GetCapabilities&sections=",
        "report": "service=SOS&request=x",
    }
    files = []
    for name, query in requests.items():
        files.append(tmp_path / f"{name}.xml")
        files[-1].write_bytes(read(application.answer(get(query))))
    found = subprocess.run(
        [sys.executable, str(find_validator()), *map(str, files)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
