"""Nothing of a client's is returned or logged at length, and characters that no document can hold are replaced."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from urllib.parse import quote

import pytest
from lxml import etree

from fuzz.victim import ENVIRON, GOOD, SOS, open_victim, write_victim
from mapsos.app import Application
from mapsos.rest.parameters import PARAMETERS
from mapsos.web.access_log import LoggedBody
from mapsos.web.log_formats import make_formatter
from mapsos.web.messages import Request, close_body

from .bounds import bounded

LONG = "y" * 1_000_000
SHORT = 12_000
"""A response without content: the form of a page has some thousand characters."""
FORM = "application/x-www-form-urlencoded"
REST = "/exts/SosSOE"
RESOURCES = ("", "/observations", "/observations/query", "/procedures", "/features", "/features/query")
SOS_PARAMETERS = (
    "service", "version", "request", "offering", "observedProperty", "procedure", "featureOfInterest", "eventTime",
    "result", "bbox", "srsName", "responseFormat", "resultModel", "responseMode", "outputFormat", "ObservationId",
    "FeatureOfInterestId", "sections", "acceptVersions", "updateSequence", "language", "aggregateInterval",
    "aggregateFunction", "timezone", "conformance", "maxFeatures", "map", "mode", "typeName", "offerin",
)  # fmt: skip


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Application:
    folder = tmp_path_factory.mktemp("echoes")
    mapfile = write_victim(folder, GOOD, metadata='"sos_value_alias" "value"')
    return open_victim(mapfile)


Lines = list[str]


@pytest.fixture(params=["text", "json"])
def lines(request: pytest.FixtureRequest) -> object:
    """The lines of the log, of errors and of requests, in both formats."""
    written: Lines = []

    class Writer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    writer = Writer(logging.DEBUG)
    writer.setFormatter(make_formatter(request.param))
    loggers = [logging.getLogger(name) for name in ("mapsos", "mapsos.requests")]
    before = [logger.level for logger in loggers]
    loggers[0].addHandler(writer)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield written
    loggers[0].removeHandler(writer)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def ask(
    victim: Application, query: str = "", path: str = "", body: bytes | None = None, kind: str = FORM, **environ: str
) -> tuple[int, bytes]:
    """Answer as a server does, with the line of the request in the log, and judge the answer."""
    own = {**ENVIRON, "PATH_INFO": path, **environ}
    method = environ.pop("REQUEST_METHOD", "GET" if body is None else "POST")
    request = Request(method, query, own.pop("CONTENT_TYPE", kind), None if body is None else len(body),
                      io.BytesIO(body or b"").read, own)  # fmt: skip
    response = victim.answer(request)
    logged = LoggedBody(request, response, 0.0)
    content = b"".join(logged)
    logged.close()
    close_body(response.body)
    for name, value in response.headers:
        assert len(name + value) < 10_000
    assert b"under reference" not in content
    return response.status, content


def check(content: bytes, lines: Lines) -> None:
    assert len(content) < SHORT + 50_000
    assert LONG[:10_000].encode() not in content
    assert sum(map(len, lines)) < 30_000
    assert all(len(line) < 10_000 for line in lines)


@pytest.mark.parametrize("format", ["json", "pjson", "html", "csv"])
@pytest.mark.parametrize("name", [*PARAMETERS["observations/query"], "f", "feature", "unknown", "offerin"])
def test_rest_parameters_are_cut(victim: Application, lines: Lines, name: str, format: str) -> None:
    values = {"f": format, name: LONG}
    for path in ("/observations/query", "/features/query"):
        body = "&".join(f"{key}={value}" for key, value in values.items()).encode()
        for query, form in ((body.decode(), None), ("", body)):
            with bounded(seconds=10, megabytes=400):
                _, content = ask(victim, query, REST + path, form)
            check(content, lines)


@pytest.mark.parametrize("path", [*(f"{REST}{path}/{LONG}" for path in RESOURCES), f"/{LONG}{REST}", f"/_mapsos/{LONG}",
                                  f"/_mapsos/builder/{LONG}", f"/arcgis/rest/services/{LONG}/MapServer{REST}"],
                         ids=range(10))  # fmt: skip
def test_paths_are_cut(victim: Application, lines: Lines, path: str) -> None:
    for query in ("f=json", "f=html", "f=json&" + LONG, "map=" + LONG):
        check(ask(victim, query, path)[1], lines)


@pytest.mark.parametrize("name", SOS_PARAMETERS)
def test_sos_parameters_are_cut(victim: Application, lines: Lines, name: str) -> None:
    """In MapServer a message has at most 2047 bytes."""
    for request in ("GetObservation", "GetCapabilities", "DescribeSensor", "GetFeatureOfInterest",
                    "DescribeFeatureType", "GetDataAvailability", "GetObservationById",
                    "DescribeObservationType"):  # fmt: skip
        values = {"service": "SOS", "version": "1.0.0", "request": request, "offering": "table",
                  "observedProperty": "weather", "responseFormat": "text/csv"}  # fmt: skip
        values[name] = LONG
        body = "&".join(f"{key}={quote(value)}" for key, value in values.items()).encode()
        check(ask(victim, "", "", body)[1], [])
    assert sum(map(len, lines)) < 60_000


OPEN = '<GetObservation service="SOS" version="1.0.0">'
BODIES: dict[str, Callable[[str], str]] = {
    "an element": lambda text: f"<{text}/>",
    "an attribute": lambda text: f'<GetObservation service="{text}" version="1.0.0"/>',
    "a namespace": lambda text: f'<GetObservation xmlns="{text}" service="SOS"/>',
    "a child": lambda text: f"{OPEN}<{text}/></GetObservation>",
    "a value": lambda text: f"{OPEN}<offering>{text}</offering></GetObservation>",
    "a prefix": lambda text: f"<{text}:a/>",
    "an entity": lambda text: f"<a>&{text};</a>",
    "an encoding": lambda text: f'<?xml version="1.0" encoding="{text}"?><a/>',
    "a document type": lambda text: f"<!DOCTYPE {text}><a/>",
    "no form": lambda text: text,
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_cut(victim: Application, lines: Lines, name: str) -> None:
    for path in ("", f"{REST}/observations/query"):
        for kind in ("text/xml", "application/json", FORM, "multipart/form-data; boundary=x", LONG):
            check(ask(victim, "f=json" if path else "", path, BODIES[name](LONG).encode(), kind)[1], [])
    assert sum(map(len, lines)) < 60_000


@pytest.mark.parametrize("path", ["", f"{REST}/observations/query"])
@pytest.mark.parametrize(
    "header",
    ["HTTP_CONTENT_ENCODING", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ORIGIN", "HTTP_REFERER", "HTTP_HOST",
     "HTTP_IF_NONE_MATCH", "HTTP_X_REQUEST_ID", "HTTP_SOAPACTION", "REQUEST_METHOD", "REMOTE_ADDR"],
)  # fmt: skip
def test_headers_are_cut(victim: Application, lines: Lines, header: str, path: str) -> None:
    for body in (None, b"f=json"):
        check(ask(victim, "f=json&offering=x", path, body, **{header: LONG})[1], lines)


def test_pages_of_long_queries_have_no_links_that_no_server_accepts(victim: Application) -> None:
    """A filter of a form may be long; the page shows its rows, without repeating it in every link."""
    ring = [[number / 100, number % 2] for number in range(4000)]
    geometry = json.dumps({"rings": [[*ring, [0, 9]]]})
    body = f"f=html&resultRecordCount=1&spatialFilter={quote(geometry)}".encode()
    status, content = ask(victim, "", f"{REST}/observations/query", body)
    assert status == 200
    assert len(content) < SHORT + 10_000
    assert b'rel="next"' not in content
    status, content = ask(victim, "", f"{REST}/observations/query", b"f=html&resultRecordCount=1&offering=table")
    assert b'rel="next"' in content


def test_usual_messages_are_whole(victim: Application) -> None:
    name = "n" * 300
    status, content = ask(victim, f"f=json&procedure={name}", f"{REST}/observations/query")
    assert json.loads(content)["error"]["message"] == f"procedure {name} not found"
    _, content = ask(victim, f"{SOS}GetObservation&offering={name}&observedProperty=weather&responseFormat=text/csv")
    assert name.encode() in content


SURROGATES = ("\ud800", "a\udfffb", "\udc80\ud800", "\ud83d")


@pytest.mark.parametrize("text", SURROGATES)
def test_lone_surrogates_are_reported_as_json(victim: Application, text: str) -> None:
    escaped = text.encode("ascii", "backslashreplace").decode()
    geometries = (
        f'{{"{escaped}":1}}',
        f'{{"x":"{escaped}","y":1}}',
        f'{{"spatialReference":{{"wkid":"{escaped}"}}}}',
        f'{{"points":["{escaped}"]}}',
        f"{{'{escaped}':1}}",
        f'"{escaped}"',
        f'{{x:1,y:1,"{escaped}":1}}',
    )
    for geometry in geometries:
        for format in ("json", "pjson", "html", "csv"):
            status, content = ask(victim, f"f={format}&spatialFilter={quote(geometry)}", f"{REST}/observations/query")
            assert status == 400
            if format != "html":
                assert json.loads(content)["error"]["code"] == 400
            content.decode()


@pytest.mark.parametrize("bytes", [b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\xed\xbf\xbf", b"a\xf0\x9f"])
def test_bytes_that_are_not_characters_are_reported(victim: Application, bytes: bytes) -> None:
    """In queries, forms, paths and headers, escaped or not; in the form of the interface."""
    for text in (quote(bytes), bytes.decode("utf-8", "surrogateescape"), bytes.decode("latin-1")):
        for name in ("f", "where", "spatialFilter", "temporalFilter", "procedure", "offering", "resultOffset", text):
            form = f"{name}={text}".encode("utf-8", "surrogateescape")
            for query, body in ((f"f=json&{name}={text}", None), ("f=json", form)):
                status, content = ask(victim, query, f"{REST}/observations/query", body)
                assert status in (200, 400)
                assert "error" in json.loads(content) or status == 200
        for path in (f"{REST}/observations/{text}", f"{REST}/procedures/{text}", f"/{text}{REST}"):
            status, content = ask(victim, "f=json", path)
            assert status == 404
            assert json.loads(content)["error"]["code"] == 404
            assert ask(victim, "f=html", path)[0] == 404
        for name in ("offering", "procedure", "eventTime", "result", "responseFormat", "request", text):
            _, content = ask(victim, f"{SOS}GetObservation&{name}={text}")
            assert content.startswith(b"<HTML>") or etree.fromstring(content) is not None
        for header in ("HTTP_REFERER", "HTTP_HOST", "HTTP_ACCEPT", "HTTP_ORIGIN", "HTTP_X_REQUEST_ID",
                       "HTTP_CONTENT_ENCODING"):  # fmt: skip
            ask(victim, "f=json", f"{REST}/procedures", **{header: text})
            ask(victim, f"{SOS}GetCapabilities", "", b"<a/>", **{header: text})


@pytest.mark.parametrize("reference", ["&#xD800;", "&#55296;", "&#xDFFF;", "&#xFFFE;", "&#0;", "&#x110000;"])
def test_references_to_no_characters_are_reported(victim: Application, reference: str) -> None:
    inner = f"<offering>{reference}</offering>"
    for body in (f"<a>{reference}</a>", f'<GetObservation service="{reference}"/>',
                 f'<GetObservation service="SOS" version="1.0.0">{inner}</GetObservation>'):  # fmt: skip
        _, content = ask(victim, "", "", body.encode(), "text/xml")
        assert b"ExceptionReport" in content or content.startswith(b"<HTML>")
    filter = f"<PropertyIsEqualTo><PropertyName>value</PropertyName><Literal>{reference}</Literal></PropertyIsEqualTo>"
    query = f"{SOS}GetObservation&offering=table&observedProperty=weather&responseFormat=text/csv"
    assert b"ExceptionReport" in ask(victim, f"{query}&result={quote(filter)}")[1]
