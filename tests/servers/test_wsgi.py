"""The application as servers call it: by WSGI, held to PEP 3333 by the standard library's validator, and by ASGI."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from mapsos.config.settings import Settings
from mapsos.ows.decoding import decode_query, decode_request
from mapsos.ows.raw_request import RawRequest
from mapsos.servers import wsgi_adapter
from mapsos.servers.asynchronous import configured
from mapsos.servers.wsgi_adapter import WsgiBody
from mapsos.sources.errors import SourceError
from mapsos.terms.deadlines import DeadlineError
from mapsos.web.access_log import LoggedBody
from mapsos.web.messages import Request, Response
from tests.support.asgi_client import as_wsgi
from tests.support.redirects import write_redirecting_config

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATION = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=nile&observedProperty=discharge"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)


@pytest.fixture(autouse=True, params=["wsgi", "asgi"])
def binding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Settings are read anew; the application is called in one of both ways."""
    monkeypatch.setattr(wsgi_adapter, "_applications", {})
    monkeypatch.setattr(configured, "_adapter", None)
    called = wsgi_adapter.application if request.param == "wsgi" else as_wsgi(configured.application)
    monkeypatch.setitem(CALLED, "application", called)
    monkeypatch.setenv("MAPSERVER_CONFIG_FILE", str(EXAMPLES / "mapsos.conf"))
    monkeypatch.setenv("MS_ERRORFILE", "/dev/null")
    return str(request.param)


CALLED: dict[str, Any] = {}


class Answer:
    """What the application answered to one request."""

    def __init__(self, query: str, method: str = "GET", body: bytes = b"", **environ: Any) -> None:
        full: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body)}
        if body:
            full["CONTENT_LENGTH"] = str(len(body))
        full |= environ
        setup_testing_defaults(full)
        del full["HTTP_HOST"]

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            self.status, self.headers = status, dict(headers)
            return None

        result = validator(CALLED["application"])(full, start_response)
        try:
            self.body = b"".join(result)
        finally:
            result.close()  # type: ignore[attr-defined]


def test_capabilities() -> None:
    answer = Answer(CAPABILITIES)
    assert answer.status == "200 OK"
    assert answer.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert answer.body.rstrip().endswith(b"</sos:Capabilities>")
    assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_observations_are_streamed(binding: str) -> None:
    answer = Answer(OBSERVATION)
    assert answer.body.count(b"<om:member>") == 100
    # Up to 1 MiB the asynchronous adapter sends nothing before it has all.
    assert ("Content-Length" in answer.headers) == (binding == "asgi")


def test_head_is_get_without_the_body() -> None:
    answer = Answer(CAPABILITIES, "HEAD")
    assert answer.status == "200 OK"
    assert answer.body == b""
    assert "Content-Length" not in answer.headers


def test_a_redirect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSERVER_CONFIG_FILE", str(write_redirecting_config(tmp_path)))
    sensor = "service=SOS&version=1.0.0&request=DescribeSensor&procedure=SEA&outputFormat="
    answer = Answer(sensor + quote('text/xml; subtype="sensorML/1.0.0"'))
    assert answer.status == "302 Found"
    assert answer.headers["Location"] == "https://example.org/sensors/SEA.xml"


@pytest.mark.parametrize("path", ["", "/"])
def test_a_browser_is_led_to_the_page(path: str) -> None:
    answer = Answer("", SCRIPT_NAME="/sensors", PATH_INFO=path, HTTP_ACCEPT="text/html,*/*")
    assert (answer.status, answer.body) == ("302 Found", b"")
    assert urljoin(f"http://h/sensors{path}", answer.headers["Location"]) == "http://h/sensors/exts/SosSOE"
    assert answer.headers["Vary"] == "Accept"
    page = Answer("", SCRIPT_NAME="/sensors", PATH_INFO="/exts/SosSOE", HTTP_ACCEPT="text/html,*/*")
    assert (page.status, page.headers["Content-Type"]) == ("200 OK", "text/html; charset=UTF-8")
    other = Answer("", SCRIPT_NAME="/sensors", PATH_INFO=path, HTTP_ACCEPT="*/*")
    assert "QUERY_STRING is set, but empty" in other.body.decode()


def test_a_form_is_a_query() -> None:
    answer = Answer("", "POST", CAPABILITIES.encode(), CONTENT_TYPE="application/x-www-form-urlencoded")
    assert b"<sos:Capabilities" in answer.body


@pytest.mark.parametrize("binding", ["wsgi"], indirect=True)
def test_a_body_of_unknown_length_is_read_only_where_the_server_ends_it() -> None:
    stream = io.BytesIO(CAPABILITIES.encode())
    kind = "application/x-www-form-urlencoded"
    ended = Answer("", "POST", CONTENT_TYPE=kind, **{"wsgi.input": stream, "wsgi.input_terminated": True})
    assert b"<sos:Capabilities" in ended.body
    stream.seek(0)
    endless = Answer("", "POST", CONTENT_TYPE=kind, **{"wsgi.input": stream})
    assert b"<sos:Capabilities" not in endless.body
    assert stream.tell() == 0


def test_no_more_is_read_than_was_announced() -> None:
    stream = io.BytesIO(b"GET / HTTP/1.1")
    environ = {"REQUEST_METHOD": "POST", "wsgi.input": stream, "CONTENT_LENGTH": "3"}
    request = wsgi_adapter.read_request(environ, Settings())
    assert [request.read(2), request.read(2), request.read(2)] == [b"GE", b"T", b""]
    assert stream.tell() == 3


def test_put_gets_the_error_page() -> None:
    answer = Answer(CAPABILITIES, "PUT")
    assert answer.headers["Content-Type"] == "text/html"
    assert b"METHOD of GET or METHOD of POST" in answer.body


def test_the_online_resource_is_that_of_the_request() -> None:
    path = {"SCRIPT_NAME": "/sos", "PATH_INFO": ""}
    secure = {"SERVER_NAME": "h", "SERVER_PORT": "8443", "wsgi.url_scheme": "https"}
    assert b'"https://h:8443/sos?"' in Answer(CAPABILITIES, **path, **secure).body


def test_unusable_settings_are_told_to_the_log_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MAPSERVER_CONFIG_FILE", "/nowhere/secret.conf")
    answer = Answer(CAPABILITIES)
    assert answer.status == "500 Internal Server Error"
    assert b"msLoadConfig(): Unable to access file." in answer.body
    assert b"secret" not in answer.body
    assert "/nowhere/secret.conf" in caplog.text


@pytest.mark.parametrize("binding", ["wsgi"], indirect=True)
def test_the_server_may_name_another_configuration(tmp_path: Path) -> None:
    minimal = tmp_path / "minimal.conf"
    minimal.write_text(f'CONFIG\nENV\nMS_MAPFILE "{EXAMPLES}/mapfiles/minimal.map"\nEND\nEND\n')
    assert b"The weather of Seattle" in Answer(CAPABILITIES, MAPSERVER_CONFIG_FILE=str(minimal)).body
    assert b"Weather, ocean and river" in Answer(CAPABILITIES).body


@pytest.mark.parametrize("binding", ["wsgi"], indirect=True)
def test_the_configuration_sets_the_environment_of_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("MAPSOS_TEST_OF_GDAL", "unset")
    monkeypatch.delenv("MAPSOS_TEST_OF_GDAL")
    monkeypatch.setenv("CPL_TEST_OPTION", "before")
    conf = tmp_path / "gdal.conf"
    conf.write_text('CONFIG\nENV\nCPL_TEST_OPTION "after"\nEND\nEND\n')
    Answer(CAPABILITIES, MAPSERVER_CONFIG_FILE=str(conf))
    assert os.environ["CPL_TEST_OPTION"] == "after"


def test_text_is_what_its_bytes_say() -> None:
    bytes_as_pep_3333_has_them = "map=Österreich&x=\udcff".encode("utf-8", "surrogateescape").decode("latin-1")
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": bytes_as_pep_3333_has_them, "wsgi.input": io.BytesIO()}
    request = wsgi_adapter.read_request(environ, Settings())
    assert request.query == "map=Österreich&x=\udcff"
    assert "wsgi.input" not in request.environ


class Body:
    """A body that breaks off and tells whether it was closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"<whole"
        raise OSError("the disk has gone")

    def close(self) -> None:
        self.closed = True


def test_a_broken_body_is_the_servers_to_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mapsos")
    body = Body()
    logged = LoggedBody(Request("GET", "map=a%20b%0Ac"), Response(body=body), 0.0)
    chunks = iter(logged)
    assert next(chunks) == b"<whole"
    with pytest.raises(OSError, match="the disk has gone"):
        next(chunks)
    logged.close()
    assert body.closed
    message = caplog.records[-1].getMessage()
    assert message.startswith("GET a?b?c - 200 0 rows 6 bytes ")
    assert " ms broken, from " in message


@pytest.mark.parametrize(
    ("error", "traced"),
    [
        (SourceError("data source of layer air was changed while it was read"), False),
        (DeadlineError(3), False),
        (ZeroDivisionError("a fault of ours"), True),
    ],
)
def test_why_a_body_broke_off_is_logged_once(
    error: Exception, traced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def break_off() -> Iterator[bytes]:
        yield b"<whole"
        raise error

    def send(client: socket.socket | None) -> None:
        logged = LoggedBody(Request("GET", ""), Response(body=break_off()), 0.0)
        for _ in WsgiBody(logged, client):
            pass

    with pytest.raises(type(error)):
        send(None)
    caplog.clear()
    # gunicorn logs any other exception once more, with a traceback.
    with socket.socket() as client, pytest.raises(BrokenPipeError):
        send(client)
    [record] = caplog.records
    text = logging.Formatter().format(record)
    assert "the response broke off" in text
    assert str(error) in text
    assert ("Traceback" in text) == traced


def test_a_body_that_fails_at_once_is_the_servers_to_report() -> None:
    def fail() -> Iterator[bytes]:
        raise ZeroDivisionError
        yield b""

    logged = LoggedBody(Request("GET", ""), Response(body=fail()), 0.0)
    with socket.socket() as client, pytest.raises(ZeroDivisionError):
        next(iter(WsgiBody(logged, client)))


def test_a_body_that_nobody_wants_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mapsos")
    body = Body()
    logged = LoggedBody(Request("GET", None, environ={"SCRIPT_NAME": "/sos"}), Response(body=body), 0.0)
    next(iter(logged))
    logged.close()
    assert body.closed
    assert caplog.records[-1].getMessage().startswith("GET /sos - 200 0 rows ")
    assert " ms unfinished, from " in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("sensors.example.org", "http://sensors.example.org/"),
        ("sensors.example.org:8081", "http://sensors.example.org:8081/"),
        ("[2001:db8::1]:8081", "http://[2001:db8::1]:8081/"),
        ('evil"><x', "http://127.0.0.1/"),
    ],
)
def test_gunicorn_is_named_by_the_host_header(host: str, url: str) -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "HTTP_HOST": host, "gunicorn.socket": None}
    setup_testing_defaults(environ)
    wsgi_adapter.name_server(environ)
    port = environ["SERVER_PORT"]
    assert f"http://{environ['SERVER_NAME']}{'' if port == '80' else ':' + port}/" == url


def test_other_servers_name_themselves() -> None:
    environ: dict[str, Any] = {"HTTP_HOST": "other", "SERVER_NAME": "s", "SERVER_PORT": "1"}
    wsgi_adapter.name_server(environ)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("s", "1")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("MAPSOS_MAX_BODY", "200000")
    return Client(CALLED["application"])


FORM = {"service": "SOS", "request": "GetCapabilities", "sections": "ServiceProvider"}


def test_a_multipart_form_is_a_query(client: Client) -> None:
    answer = client.post("/", data=FORM, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert answer.data == client.get("/", query_string=FORM).data
    assert b"Capabilities" in answer.data


@pytest.mark.parametrize(
    ("data", "content_type", "reason"),
    [
        ({"request": (b"x", "a.xml"), "service": "SOS"}, "multipart/form-data", b"request is a file"),
        (b"--x\r\nContent-Disposition", "multipart/form-data; boundary=x", b"last boundary is missing"),
        (b"service=SOS", "multipart/form-data", b"last boundary is missing"),
        ({f"name{number}": "" for number in range(1001)}, "multipart/form-data", b"more than 1000 parts"),
        ({"service": "SOS", "request": "x" * 300_000}, "multipart/form-data", b"larger than 200000 bytes"),
    ],
    ids=["file", "cut", "boundary", "parts", "large"],
)
def test_faulty_multipart_forms_are_reported(client: Client, data: Any, content_type: str, reason: bytes) -> None:
    if isinstance(data, dict):
        data = {name: (BytesIO(text[0]), text[1]) if isinstance(text, tuple) else text for name, text in data.items()}
    answer = client.post("/", data=data, content_type=content_type)
    assert b"ExceptionReport" in answer.data
    assert reason in answer.data


def test_no_value_of_a_multipart_form_is_lost() -> None:
    """Wherever an empty value lies in the body: the parser works in pieces."""
    data = {f"name{number}": "" for number in range(999)}
    environ = EnvironBuilder("/", method="POST", data=data, content_type="multipart/form-data").get_environ()
    request = wsgi_adapter.read_request(environ, Settings())
    raw = decode_request(request, decode_query(request), 1 << 20, reject)
    assert set(raw.values) == set(data)


def reject(body: bytes) -> RawRequest:
    raise AssertionError("a form is not XML")


def test_a_body_that_ends_early_is_reported() -> None:
    environ = EnvironBuilder("/", method="POST").get_environ()
    environ |= {"wsgi.input": BytesIO(b"service=SOS"), "CONTENT_LENGTH": "50"}
    pieces, _, _ = run_wsgi_app(CALLED["application"], environ)
    assert b"POST body is short" in b"".join(pieces)


@pytest.mark.parametrize("binding", ["wsgi"], indirect=True)
def test_a_body_of_unknown_length_is_not_waited_for() -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("nothing says where it ends")

    environ = EnvironBuilder("/", method="POST", query_string="service=SOS").get_environ()
    environ["wsgi.input"] = Endless()
    environ.pop("CONTENT_LENGTH", None)
    pieces, _, _ = run_wsgi_app(CALLED["application"], environ)
    assert b"The body of the request is empty" in b"".join(pieces)
