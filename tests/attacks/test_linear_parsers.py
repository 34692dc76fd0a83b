"""The cost of reading a request is linear in its size: each parser, with four times as much of what could cost most."""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import quote

import pytest

from fuzz.rest import ROOT
from fuzz.victim import get, judge_any, observe, open_victim, post, write_victim
from mapsos.app import Application
from mapsos.config.trusted_proxies import read_trusted_proxies
from mapsos.servers.wsgi_adapter import read_request
from mapsos.web.messages import Request
from mapsos.web.proxies import correct_environ

FORM = "application/x-www-form-urlencoded"
SIZE = 90_000
"""Characters of the smaller request; the larger one has four times as many."""
MOST_SECONDS = 4.0
"""Processor time for the larger one: a quadratic parser takes longer, or more than `MOST_GROWTH` times the smaller."""
MOST_GROWTH = 9.0
_UNMEASURABLE = 0.25

_OBSERVATION = (
    '<GetObservation xmlns="http://www.opengis.net/sos/1.0" {} service="SOS" version="1.0.0">'
    "<offering>table</offering><observedProperty>weather</observedProperty>"
    "<responseFormat>text/xml;subtype=&quot;om/1.0.0&quot;</responseFormat>{}</GetObservation>"
)
_NAMESPACES = " ".join(f'xmlns:a{number}="{"u" * 480}"' for number in range(250))
_ENVELOPE = "<Envelope srsName='EPSG:{}'><lowerCorner>1 1</lowerCorner><upperCorner>2 2</upperCorner></Envelope>"

Make = Callable[[int], Request]


def fill(pattern: str, size: int) -> str:
    """Repeat a pattern up to a size; its ``#`` is the number of the repetition."""
    count = size // len(pattern)
    return "".join(pattern.replace("#", str(number)) for number in range(count)) if "#" in pattern else pattern * count


def xml(pattern: str, before: str = "", after: str = "", declared: str = _NAMESPACES) -> Make:
    """A GetObservation as a body, with the pattern in it."""
    return lambda size: post(_OBSERVATION.format(declared, before + fill(pattern, size) + after).encode())


def in_namespace(pattern: str) -> Make:
    """The same below a root with one namespace that is as long as what stands in it."""
    return lambda size: xml(pattern, declared=f'xmlns:a="{"u" * (size // 2)}"')(size // 2)


def attributes(pattern: str) -> Make:
    """A GetObservation with attributes of the pattern."""
    return lambda size: post(_OBSERVATION.format(f'xmlns:a="{"u" * 480}" {fill(pattern, size)}', "").encode())


def soap(size: int) -> Request:
    inside = fill("<a/>", size)
    namespace = "http://www.w3.org/2003/05/soap-envelope"
    return post(f'<e:Envelope xmlns:e="{namespace}"><e:Body>{inside}</e:Body></e:Envelope>'.encode())


def form(name: str, pattern: str, before: str = "", after: str = "") -> Make:
    """A GetObservation as a form, with the pattern as the value of a parameter."""
    return lambda size: post(f"{observe('table')}&{name}={quote(before + fill(pattern, size) + after)}".encode(), FORM)


def pairs(pattern: str) -> Make:
    return lambda size: post((observe("table") + fill(pattern, size)).encode(), FORM)


def capabilities(name: str, pattern: str) -> Make:
    return lambda size: post(f"service=SOS&request=GetCapabilities&{name}={quote(fill(pattern, size))}".encode(), FORM)


def rest(name: str, pattern: str, before: str = "", after: str = "") -> Make:
    """A query of observations by REST, with the pattern as the value of a parameter."""

    def make(size: int) -> Request:
        body = f"offering=table&f=json&{name}={quote(before + fill(pattern, size) + after)}".encode()
        asked = post(body, FORM)
        return replace(asked, environ={**asked.environ, "PATH_INFO": f"{ROOT}/observations/query"})

    return make


def nested(name: str, opening: str, closing: str) -> Make:
    return lambda size: rest(name, opening, after="1" + closing * (size // 2 // len(opening)))(size // 2)


def header(name: str, pattern: str) -> Make:
    return lambda size: get("service=SOS&request=GetCapabilities", **{name: fill(pattern, size)})


def content_type(pattern: str) -> Make:
    return lambda size: post(b"a=b", f"{FORM};" + fill(pattern, size))


PARSERS: dict[str, Make] = {
    "body, a long namespace": in_namespace("<featureOfInterest><x/></featureOfInterest>"),
    "body, a long namespace and times": in_namespace("<eventTime><a:x/></eventTime>"),
    "body, many namespaces": xml("<featureOfInterest><x/></featureOfInterest>"),
    "body, ids": xml("<featureOfInterest><ObjectID>S#</ObjectID></featureOfInterest>"),
    "body, one id again and again": xml("<featureOfInterest><ObjectID>S1</ObjectID></featureOfInterest>"),
    "body, places in one element": xml("<x/>", "<featureOfInterest>", "</featureOfInterest>"),
    "body, places in many systems": xml(f"<featureOfInterest>{_ENVELOPE.format('2#')}</featureOfInterest>"),
    "body, times": xml("<x/>", "<eventTime>", "</eventTime>"),
    "body, a filter": xml("<x/>", "<result>", "</result>"),
    "body, one filter again and again": xml("<result><x/></result>"),
    "body, positions": xml(
        "1 2 ", "<featureOfInterest><LineString><posList>", "</posList></LineString></featureOfInterest>"
    ),
    "body, coordinates": xml(
        "1,2 ", "<featureOfInterest><LineString><coordinates>", "</coordinates></LineString></featureOfInterest>"
    ),
    "body, digits": xml("1", "<featureOfInterest><Point><pos>1 ", "x</pos></Point></featureOfInterest>"),
    "body, sensors": xml("<procedure>S#</procedure>"),
    "body, attributes": attributes('a#="" '),
    "body, attributes in a namespace": attributes('a:a#="" '),
    "envelope": soap,
    "form, escapes": lambda size: post(f"{observe('table')}&x={'%41' * (size // 3)}".encode(), FORM),
    "form, pairs": pairs("&a=b"),
    "form, names": pairs("&a#=b"),
    "form, a long name": lambda size: post(f"{observe('table')}&{'observedPropert' * (size // 15)}=1".encode(), FORM),
    "form, sensors": form("procedure", "S#,"),
    "form, commas": form("procedure", ","),
    "form, features": form("featureOfInterest", "S#,"),
    "form, properties": form("observedProperty", "S#,"),
    "form, prefixes": form("featureOfInterest", "p#:a ", "<a ", "/>"),
    "form, open tags": form("featureOfInterest", "<a "),
    "form, open quotes": form("featureOfInterest", '<a "'),
    "form, tags in other letter case": form("featureOfInterest", "<b></B>", "<a>", "</A>"),
    "form, declarations": form("featureOfInterest", "x", "<a>" + ("xmlns" + "x" * 400) * 250, "</a>"),
    "form, declarations and spaces": lambda size: form(
        "featureOfInterest", f"xmlns{' ' * (size // 250)}", "<a>", "</a>"
    )(size),
    "form, times": form("eventTime", "2001,"),
    "form, periods": form("eventTime", "/"),
    "form, a long duration": form("eventTime", "1", "2001/P", "D"),
    "form, a long fraction": form("eventTime", "1", "2001-01-01T00:00:00."),
    "form, a rectangle of digits": form("bbox", "1", "", "x,1,2,2"),
    "form, a rectangle": form("bbox", "1,"),
    "form, a CRS": form("srsName", "1", "EPSG:"),
    "form, a URN": form("srsName", ":", "urn:ogc:def:crs:EPSG"),
    "form, a media type": form("responseFormat", "='"),
    "form, a version": form("version", "1."),
    "form, a time step": form("aggregateInterval", "1", "PT", "S"),
    "form, functions": form("aggregateFunction", "mean,"),
    "form, a literal": form(
        "result",
        "1",
        "<PropertyIsEqualTo><PropertyName>value</PropertyName><Literal>",
        "x</Literal></PropertyIsEqualTo>",
    ),
    "form, a property": form(
        "result", "a:", "<PropertyIsEqualTo><PropertyName>", "</PropertyName><Literal>1</Literal></PropertyIsEqualTo>"
    ),
    "form, a pattern": form(
        "result",
        "*a",
        '<PropertyIsLike wildCard="*" singleChar="." escapeChar="!"><PropertyName>te"xt</PropertyName><Literal>',
        "</Literal></PropertyIsLike>",
    ),
    "versions": capabilities("acceptVersions", "1.x,"),
    "version numbers": capabilities("acceptVersions", "1."),
    "sections": capabilities("sections", "Contents,"),
    "formats": capabilities("acceptFormats", "a,"),
    "update sequence": capabilities("updateSequence", "1"),
    "where, parentheses": nested("where", "(", ")"),
    "where, AND": rest("where", "1=1 AND ", after="1=1"),
    "where, AND of columns": rest("where", "numeric_value<># AND ", after="1=1"),
    "where, NOT": rest("where", "NOT ", after="1=1"),
    "where, a list": rest("where", "'#',", "procedure IN (", "'a')"),
    "where, digits": rest("where", "1", "numeric_value=", "a"),
    "where, digits and points": rest("where", "1.", "numeric_value=", "a"),
    "where, an exponent": rest("where", "1", "numeric_value=1e"),
    "where, quotes": rest("where", "''", "procedure='"),
    "where, spaces": rest("where", " ", after="?"),
    "where, LIKE": rest("where", "%a", "text_value LIKE '", "'"),
    "JSON, arrays": nested("spatialFilter", '{"a":[', "]}"),
    "JSON, objects": nested("spatialFilter", '{"a":', "}"),
    "JSON, bare names": nested("spatialFilter", "{a:", "}"),
    "JSON, an integer": rest("spatialFilter", "1", '{"x":', ',"y":1}'),
    "JSON, an integer that goes on": rest("spatialFilter", "1", '{"x":', 'a,"y":1}'),
    "JSON, a fraction": rest("spatialFilter", "1", '{"x":1.', ',"y":1}'),
    "JSON, an exponent": rest("spatialFilter", "1", '{"x":1e', ',"y":1}'),
    "JSON, a wkid": rest("spatialFilter", "1", '{"x":1,"y":1,"spatialReference":{"wkid":', "}}"),
    "JSON, names": rest("spatialFilter", '"a#":1,', "{", '"a":1}'),
    "JSON, backslashes": rest("spatialFilter", "\\", '{"', '":1}'),
    "JSON, an open string": rest("spatialFilter", "a", '{"'),
    "JSON, points": rest("spatialFilter", "[1,2],", '{"points":[', "[1,2]]}"),
    "numbers": rest("spatialFilter", "1,"),
    "temporal filter, braces": rest("temporalFilter", "{"),
    "temporal filter, spaces": rest("temporalFilter", " ", "equals:", "{"),
    "temporal filter, more spaces": rest("temporalFilter", " ", after="x{"),
    "temporal filter, digits": rest("temporalFilter", "1", "last:", ",+00:00"),
    "REST, sensors": rest("procedure", "S#,"),
    "REST, commas in sensors": rest("procedure", "\\,"),
    "REST, a count": rest("resultRecordCount", "1"),
    "REST, an offset": rest("resultOffset", "9"),
    "Accept": header("HTTP_ACCEPT", "text/html;q=0.1,"),
    "Accept-Language": header("HTTP_ACCEPT_LANGUAGE", "de-AT;q=0.1,"),
    "Accept-Encoding": header("HTTP_ACCEPT_ENCODING", "gzip;q=0,"),
    "Accept-Encoding, a weight": header("HTTP_ACCEPT_ENCODING", "gzip;q=1"),
    "If-None-Match": header("HTTP_IF_NONE_MATCH", 'W/"a",'),
    "If-None-Match, open": header("HTTP_IF_NONE_MATCH", '"a'),
    "Cookie": header("HTTP_COOKIE", "a=b;"),
    "Range": header("HTTP_RANGE", "1-2,"),
    "Content-Type": content_type("a=b;"),
}


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Application:
    return open_victim(write_victim(tmp_path_factory.mktemp("victim")))


def check(name: str, cost: Callable[[int], float]) -> None:
    """Fail if four times as much costs far more than four times the time; a busy machine gets a second chance."""
    for _ in range(2):
        # What other tests have left is not to be searched for garbage meanwhile.
        gc.disable()
        try:
            small, large = cost(SIZE), cost(4 * SIZE)
        finally:
            gc.enable()
        if large < max(MOST_GROWTH * small, _UNMEASURABLE) and large < MOST_SECONDS:
            return
    raise AssertionError(f"{name}: {small:.2f} s, and {large:.2f} s for four times as much")


@pytest.mark.parametrize("name", PARSERS)
def test_the_cost_of_reading_is_linear(victim: Application, name: str) -> None:
    def cost(size: int) -> float:
        request = PARSERS[name](size)
        start = time.process_time()
        judge_any(victim.answer(request))
        return time.process_time() - start

    check(name, cost)


FORWARDED = {
    "addresses": ("HTTP_X_FORWARDED_FOR", "192.0.2.1, "),
    "trusted addresses": ("HTTP_X_FORWARDED_FOR", "127.0.0.1, "),
    "words": ("HTTP_X_FORWARDED_FOR", "unknown,"),
    "hops": ("HTTP_FORWARDED", "for=192.0.2.1;proto=https,"),
    "trusted hops": ("HTTP_FORWARDED", 'for="[::1]";proto=https,'),
    "letters": ("HTTP_FORWARDED", "a"),
    "an open string": ("HTTP_FORWARDED", '\\"'),
    "open strings": ("HTTP_FORWARDED", 'for="a\\"'),
    "spaces": ("HTTP_FORWARDED", "a "),
    "hosts": ("HTTP_X_FORWARDED_HOST", "a.example:80,"),
    "a prefix": ("HTTP_X_FORWARDED_PREFIX", "/a"),
}


@pytest.mark.parametrize("name", FORWARDED)
def test_forwarded_headers(name: str) -> None:
    """A trusted proxy may pass on whatever a client wrote in front of its own words."""
    header, pattern = FORWARDED[name]
    proxies = read_trusted_proxies("127.0.0.1 ::1")

    def cost(size: int) -> float:
        environ = {"REMOTE_ADDR": "127.0.0.1", header: fill(pattern, size) + "x"}
        start = time.process_time()
        correct_environ(environ, proxies)
        return time.process_time() - start

    check(name, cost)


PART = b'--xx\r\nContent-Disposition: form-data; name="a"'
MULTIPART = {
    "parts": (b"", PART + b"\r\n\r\nb\r\n"),
    "dashes": (PART + b"\r\n\r\n", b"\r\n--x"),
    "line ends": (PART + b"\r\n\r\n", b"\r\n"),
    "returns": (PART + b"\r\n\r\n", b"\r"),
    "before the first part": (b"", b"\r\n-"),
    "headers": (b"--xx\r\n", b"a: b\r\n"),
    "folded headers": (PART, b"\r\n b"),
    "parameters of a header": (PART, b";a=b"),
    "backslashes in a header": (PART[:-2], b"\\"),
    "after the last part": (b"--xx--", b"\r\n"),
}


@pytest.mark.parametrize("name", MULTIPART)
def test_multipart_forms(victim: Application, name: str) -> None:
    start, pattern = MULTIPART[name]

    def cost(size: int) -> float:
        body = start + pattern * (size // len(pattern)) + b"\r\n\r\nb\r\n--xx--\r\n"
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "multipart/form-data; boundary=xx",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        begin = time.process_time()
        judge_any(victim.answer(read_request(environ, victim.settings)))
        return time.process_time() - begin

    check(name, cost)


@pytest.mark.parametrize("pattern", ["a=b;", "boundary=a;", 'a="\\', "boundary*#=b;", "a"])
def test_content_types_of_multipart_forms(victim: Application, pattern: str) -> None:
    def cost(size: int) -> float:
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "multipart/form-data;" + fill(pattern, size),
            "CONTENT_LENGTH": "5",
            "wsgi.input": io.BytesIO(b"--x--"),
        }
        begin = time.process_time()
        judge_any(victim.answer(read_request(environ, victim.settings)))
        return time.process_time() - begin

    check(pattern, cost)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_OBSERVATION.format(f'xmlns:a="{"u" * 1_000_000}"', ""), "namespaces of more than 500 characters"),
        (_OBSERVATION.format(f"xmlns:{'a' * 1000}='u'", ""), "namespaces of more than 500 characters"),
        (_OBSERVATION.format(f"xmlns:a{' ' * 9000}={' ' * 9000}'{'u' * 501}'", ""), "namespaces of more than 500"),
        (
            _OBSERVATION.format(" ".join(f'a{number}=""' for number in range(100_001)), ""),
            "more than 100000 attributes",
        ),
    ],
)
def test_what_is_refused_by_name(victim: Application, body: str, said: str) -> None:
    assert said.encode() in judge_any(victim.answer(post(body.encode())))[0]


def test_a_namespace_of_500_characters_is_read(victim: Application) -> None:
    body = _OBSERVATION.format(f'xmlns:a="{"u" * 500}"', "<a:b/>")
    assert b"ObservationCollection" in judge_any(victim.answer(post(body.encode())))[0]


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        ("where", "NOT " * 20_001 + "1=1", "more than 20000 words"),
        ("spatialFilter", '{"points":[' + "[1,2]," * 50_000 + "[1,2]]}", "JSON of more than 250000 words"),
    ],
)
def test_what_is_refused_by_rest(victim: Application, parameter: str, value: str, said: str) -> None:
    request = partial(rest, parameter, "x", value)()(0)
    assert said.encode() in judge_any(victim.answer(request))[0]
