"""Numbers that no program expects, wherever a request has one: refused or without effect, never a failure."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from fuzz.rest import ROOT
from fuzz.victim import get, judge_any, observe, open_victim, write_victim
from mapsos.app import Application
from mapsos.servers import cgi, wsgi_adapter
from mapsos.web.messages import ENDLESS, Request

NUMBERS = {
    "5000 digits": "1" * 5000,
    "beyond a decimal": "1" * 100 + "e999999",
    "a huge exponent": "1e999999",
    "a tiny exponent": "-1e-999999",
    "beyond a double": "1e400",
    "beyond 64 bits": "-" + "9" * 20,
    "two signs": "--5",
    "other digits": "٣",
    "an underscore": "1_0",
    "hexadecimal": "0x5",
    "nan": "NaN",
    "infinity": "Infinity",
}
FORMS = ("{}", "PT{}S", "P{}Y", "{}-01-01", "2001/P{}D", "1,1,2,{}", "EPSG:{}", "urn:ogc:def:crs:EPSG::{}", "{}.{}.{}")
SOS = ("eventTime", "bbox", "maxFeatures", "srsName", "aggregateInterval", "timeZone", "procedure", "version")
CONDITIONS = (
    "{}",
    "numeric_value={}",
    "numeric_value IN (1,{})",
    "numeric_value BETWEEN 1 AND {}",
    "procedure='{}'",
    "phenomenon_time > DATE '{}'",
    "1={}",
    '{{"x":{},"y":1}}',
    '{{"x":1,"y":1,"spatialReference":{{"wkid":{}}}}}',
    "last:{},+00:00",
    "equals:{}-01-01",
)
REST = (
    "resultOffset",
    "resultRecordCount",
    "where",
    "spatialFilter",
    "temporalFilter",
    "procedure",
    "featureOfInterest",
)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Its table also has columns of integers and of truth values."""
    path = write_victim(tmp_path_factory.mktemp("victim"))
    with closing(sqlite3.connect(path.parent / "table.gpkg")) as base:
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        for kind in ("integer", "boolean"):
            base.execute(f"ALTER TABLE \"weather 'of' all\" ADD COLUMN {kind} {kind}")
        base.execute("UPDATE \"weather 'of' all\" SET integer = 5, boolean = 1")
        base.commit()
    return open_victim(path)


def check(victim: Application, request: Request) -> None:
    response = victim.answer(request)
    body = judge_any(response)[0]
    assert response.status < 500
    assert b"NoApplicableCode" not in body
    assert b'"code": 500' not in body


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("column", ["integer", "boolean", "value", "station", "time", "fid"])
def test_in_filters(victim: Application, column: str, number: str) -> None:
    name, literal = f"<PropertyName>{column}</PropertyName>", f"<Literal>{NUMBERS[number]}</Literal>"
    comparison = "<PropertyIs{0}>{1}{2}</PropertyIs{0}>"
    for operator in ("EqualTo", "NotEqualTo", "GreaterThan"):
        check(victim, get(observe("table", result=comparison.format(operator, name, literal))))
    bounds = f"<LowerBoundary>{literal}</LowerBoundary><UpperBoundary>{literal}</UpperBoundary>"
    check(victim, get(observe("table", result=comparison.format("Between", name, bounds))))


@pytest.mark.parametrize("number", NUMBERS)
def test_in_parameters(victim: Application, number: str) -> None:
    for parameter in SOS:
        for form in FORMS:
            value = form.replace("{}", NUMBERS[number])
            more = {"aggregateFunction": "mean"} if parameter == "aggregateInterval" else {}
            check(victim, get(observe("table", **{parameter: value}, **more)))


@pytest.mark.parametrize("number", NUMBERS)
def test_in_parameters_of_rest(victim: Application, number: str) -> None:
    for parameter in REST:
        for condition in CONDITIONS:
            value = quote(condition.format(NUMBERS[number]))
            query = f"offering=table&f=json&{parameter}={value}"
            check(victim, get(query, PATH_INFO=f"{ROOT}/observations/query"))


LENGTHS: dict[str, int | None] = {
    "3": 3,
    " 3 ": 3,
    "0" * 5000 + "3": 3,
    "9" * 5000: ENDLESS,
    "9" * 19: ENDLESS,
    "": None,
    "-1": None,
    "+3": None,
    "3, 3": None,
    "3 3": None,
    "٣": None,
    "1e3": None,
    "0x3": None,
}


def _over_cgi(environ: dict[str, str], application: Application) -> Request:
    return cgi.read_request(environ, io.BytesIO(b"a=b"), application.settings)


def _over_wsgi(environ: dict[str, str], application: Application) -> Request:
    native = {name: value.encode("utf-8", "surrogateescape").decode("latin-1") for name, value in environ.items()}
    return wsgi_adapter.read_request({**native, "wsgi.input": io.BytesIO(b"a=b")}, application.settings)


Adapt = Callable[[dict[str, str], Application], Request]


@pytest.mark.parametrize("adapt", [_over_cgi, _over_wsgi])
@pytest.mark.parametrize("text", LENGTHS)
def test_the_length_of_a_body(victim: Application, adapt: Adapt, text: str) -> None:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": text}
    request = adapt(environ, victim)
    assert request.content_length == LENGTHS[text]
    body = judge_any(victim.answer(request))[0]
    assert (b"larger than" in body) is (LENGTHS[text] == ENDLESS)


@pytest.mark.parametrize("worker", ["off", "on"])
def test_the_length_of_a_body_to_the_program(tmp_path: Path, worker: str) -> None:
    """Through the CGI worker too, twice, so that a running one answers."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "XDG_RUNTIME_DIR": str(runtime),
        "MS_MAPFILE": str(write_victim(tmp_path)),
        "MAPSOS_CACHE": "off",
        "MAPSOS_CGI_WORKER": worker,
        "MAPSOS_CGI_WORKER_IDLE": "2",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "9" * 5000,
    }
    for _ in range(2):
        found = subprocess.run(
            [sys.executable, "-m", "mapsos"], env=environ, input=b"a=b", capture_output=True, check=False
        )
        assert found.returncode == 0, found
        assert b"larger than" in found.stdout
        assert b"Traceback" not in found.stderr


VARIABLES = (
    "SERVER_PORT HTTP_HOST REMOTE_ADDR SERVER_NAME QUERY_STRING PATH_INFO SCRIPT_NAME HTTP_X_FORWARDED_FOR "
    "HTTP_X_FORWARDED_PORT HTTP_X_FORWARDED_HOST HTTP_X_FORWARDED_PREFIX HTTP_FORWARDED HTTP_ORIGIN HTTP_RANGE "
    "HTTP_ACCEPT_ENCODING HTTP_IF_NONE_MATCH SERVER_PROTOCOL CONTENT_TYPE HTTPS HTTP_X_REQUEST_ID"
).split()
VALUES = (
    "9" * 5000,
    "-1",
    "\udcff",
    "٣",
    "a:" + "9" * 5000,
    "[::1",
    "%00",
    "\x01",
    "fe80::1%" + "a" * 3000,
    "&" * 3000,
)


@pytest.mark.parametrize("adapt", [_over_cgi, _over_wsgi])
@pytest.mark.parametrize("name", VARIABLES)
def test_variables_of_the_server(tmp_path: Path, adapt: Adapt, name: str) -> None:
    application = open_victim(write_victim(tmp_path), MAPSOS_TRUSTED_PROXIES="127.0.0.1", MAPSOS_HTTP_STATUS="on")
    base = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "service=SOS&request=GetCapabilities",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "a",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "/cgi",
    }
    for value in VALUES:
        response = application.answer(adapt(base | {name: value}, application))
        assert response.status < 500, value
        judge_any(response)
