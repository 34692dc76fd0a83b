"""CGI: the installed command as a web server runs it, without a resident worker; the writing of responses.

That a worker answers the same is held by resident/test_same_answers.py.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsos.config.settings import Settings
from mapsos.servers.cgi import NO_REQUEST, read_request, write_headers, write_response
from mapsos.web.messages import Response
from tests.support.redirects import write_redirecting_config

COMMAND = Path(sys.executable).parent / "mapsos"
EXAMPLES = Path(__file__).parents[2] / "examples"
KEPT = ("COVERAGE", "PATH", "HOME", "TMP", "XDG_RUNTIME_DIR", "MAPSOS_CGI_WORKER")
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATION = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=nile&observedProperty=discharge"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)
SENSOR = (
    "service=SOS&version=1.0.0&request=DescribeSensor&procedure=urn:ogc:def:procedure:SEA"
    "&outputFormat=text/xml;%20subtype=%22sensorML/1.0.0%22"
)


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    """The process of the request answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAPSOS_CGI_WORKER", "off")
        yield


def run(*arguments: str, body: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command with CGI variables and nothing else of the environment that could steer it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    settings = {"MAPSERVER_CONFIG_FILE": str(EXAMPLES / "mapsos.conf"), "SERVER_NAME": "h", "SERVER_PORT": "80"}
    variables = kept | settings | {"SCRIPT_NAME": "/cgi-bin/mapsos"} | environ
    command = [COMMAND, *arguments]
    return subprocess.run(command, input=body, env=variables, capture_output=True, timeout=60, check=False)


def get(query: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return run(REQUEST_METHOD="GET", QUERY_STRING=query, **environ)


def test_an_xml_answer_is_one_header_line_and_the_document() -> None:
    done = get(CAPABILITIES)
    headers, _, document = done.stdout.partition(b"\r\n\r\n")
    assert headers == b"Content-Type: text/xml; charset=UTF-8"
    assert document.startswith(b"<?xml")
    assert document.rstrip().endswith(b"</sos:Capabilities>")
    assert done.returncode == 0


def test_the_online_resource_is_the_script() -> None:
    assert b'xlink:href="http://h/cgi-bin/mapsos?"' in get(CAPABILITIES).stdout


def test_map_chooses_by_alias() -> None:
    assert b"<ows:Title>The weather of Seattle</ows:Title>" in get("map=minimal&" + CAPABILITIES).stdout


def test_a_redirect_has_status_and_location(tmp_path: Path) -> None:
    done = get(SENSOR, MAPSERVER_CONFIG_FILE=str(write_redirecting_config(tmp_path)))
    assert done.stdout.startswith(b"Status: 302 Found\r\n")
    assert b"\r\nLocation: https://example.org/sensors/SEA.xml\r\n" in done.stdout
    assert done.returncode == 0


BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8", "SERVER_PROTOCOL": "HTTP/1.1"}


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_is_led_to_the_page_of_the_default_map(path: str, method: str) -> None:
    done = run(REQUEST_METHOD=method, QUERY_STRING="", PATH_INFO=path, **BROWSER)
    assert done.stdout.startswith(b"Status: 302 Found\r\n")
    location = b"./exts/SosSOE" if path else b"./mapsos/exts/SosSOE"
    assert b"\r\nLocation: " + location + b"\r\n" in done.stdout
    assert b"\r\nVary: Accept\r\n" in done.stdout
    assert done.stdout.endswith(b"\r\n\r\n")


def test_without_a_default_map_it_is_the_list_of_services(tmp_path: Path) -> None:
    config = tmp_path / "mapsos.conf"
    config.write_text(f'CONFIG MAPS W "{EXAMPLES / "mapfiles" / "weather.map"}" END END')
    done = get("", MAPSERVER_CONFIG_FILE=str(config), **BROWSER)
    assert b"\r\nLocation: ./mapsos/arcgis/rest/services\r\n" in done.stdout


@pytest.mark.parametrize(
    "environ",
    [{"HTTP_ACCEPT": "*/*"}, {}, {**BROWSER, "QUERY_STRING": "x=1"}, {**BROWSER, "REQUEST_METHOD": "POST"},
     {**BROWSER, "MAPSOS_REST": "off"}],
    ids=["curl", "nothing", "query", "post", "no pages"],
)  # fmt: skip
def test_all_others_get_the_answer_of_mapserver(environ: dict[str, str]) -> None:
    done = run(**{"REQUEST_METHOD": "GET", "QUERY_STRING": "", **environ})
    headers = done.stdout.partition(b"\r\n\r\n")[0]
    assert b"Location: " not in headers
    assert b"Accept\r" not in headers + b"\r"
    if environ.get("REQUEST_METHOD") != "POST" and "x=1" not in environ.values():
        assert b"loadParams(): Web application error. No query information to decode." in done.stdout


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("service=SOS&request=Nonsense", b"<ows:ExceptionText>"),
        ("map=/etc/passwd&" + CAPABILITIES, b"not found in configuration"),
        ("", b"No query information to decode. QUERY_STRING is set, but empty."),
    ],
    ids=["exception", "map", "empty"],
)
def test_a_reported_error_is_a_success_of_the_program(query: str, text: bytes) -> None:
    done = get(query)
    assert text in done.stdout
    assert not done.stdout.startswith(b"Status:")
    assert done.returncode == 0


def test_errors_have_a_status_where_the_admin_wants_it() -> None:
    done = get("service=SOS&request=Nonsense", MAPSOS_HTTP_STATUS="on")
    assert done.stdout.startswith(b"Status: 400 Bad Request\r\n")


def test_unusable_settings_are_told_to_the_log_only() -> None:
    done = get(CAPABILITIES, MAPSERVER_CONFIG_FILE="/nowhere/secret.conf")
    assert b"msLoadConfig(): Unable to access file." in done.stdout
    assert b"secret" not in done.stdout
    assert b"/nowhere/secret.conf" in done.stderr
    assert done.returncode == 0


def test_head_is_get_without_the_body() -> None:
    done = run(REQUEST_METHOD="HEAD", QUERY_STRING=CAPABILITIES)
    assert done.stdout == b"Content-Type: text/xml; charset=UTF-8\r\n\r\n"


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "get"])
def test_other_methods_get_the_error_page(method: str) -> None:
    done = run(REQUEST_METHOD=method, QUERY_STRING=CAPABILITIES)
    assert done.stdout.startswith(b"Content-Type: text/html\r\n\r\n<HTML>")
    assert b"should be referenced with a METHOD of GET or METHOD of POST" in done.stdout


@pytest.mark.parametrize("with_length", [True, False])
def test_a_form_is_a_query(with_length: bool) -> None:
    body = CAPABILITIES.encode()
    length = {"CONTENT_LENGTH": str(len(body))} if with_length else {}
    kind = "application/x-www-form-urlencoded"
    done = run(body=body, REQUEST_METHOD="POST", QUERY_STRING="", CONTENT_TYPE=kind, **length)
    assert b"<sos:Capabilities" in done.stdout


def test_an_xml_body_is_a_request() -> None:
    body = b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>'
    length = str(len(body))
    done = run(body=body, REQUEST_METHOD="POST", QUERY_STRING="", CONTENT_TYPE="text/xml", CONTENT_LENGTH=length)
    assert b"<sos:Capabilities" in done.stdout


def test_a_short_body_is_reported() -> None:
    kind = "application/x-www-form-urlencoded"
    done = run(body=b"service=", REQUEST_METHOD="POST", QUERY_STRING="", CONTENT_TYPE=kind, CONTENT_LENGTH="4711")
    assert b"POST body is short" in done.stdout
    assert done.returncode == 0


def test_each_request_is_a_line_of_log() -> None:
    lines = get("map=weather&" + CAPABILITIES, MAPSOS_LOG_LEVEL="info").stderr.decode().splitlines()
    assert len(lines) == 1
    assert " INFO GET weather GetCapabilities 200 0 rows " in lines[0]
    assert " ms complete, from " in lines[0]


def test_the_error_log_of_a_web_server_is_no_access_log(tmp_path: Path) -> None:
    """Only what the admin has to mend is in it by default."""
    assert get("map=weather&" + CAPABILITIES).stderr == b""
    assert get("map=weather&service=SOS&request=Nonsense").stderr == b""
    assert get("", **BROWSER).stderr == b""
    broken = tmp_path / "broken.map"
    broken.write_text("MAP LAYER END")
    lines = get(f"map={broken}&{CAPABILITIES}", MAPSERVER_CONFIG_FILE="", MS_MAP_PATTERN=".").stderr.decode()
    assert " WARNING msLoadMap(): " in lines
    assert str(broken) in lines
    gone = (EXAMPLES / "mapfiles" / "minimal.map").read_text().replace("seattle_weather", "nothing")
    broken.write_text(gone)
    lines = get(f"map={broken}&{CAPABILITIES}", MAPSERVER_CONFIG_FILE="", MS_MAP_PATTERN=".").stderr.decode()
    assert " WARNING data source of layer seattle cannot be read" in lines


def test_the_log_goes_where_the_admin_says(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert get("map=weather&" + CAPABILITIES, MS_ERRORFILE=str(log)).stderr == b""
    assert "GET weather GetCapabilities 200" in log.read_text()
    unwritable = get("map=weather&" + CAPABILITIES, MS_ERRORFILE=str(tmp_path))
    assert b"MS_ERRORFILE" in unwritable.stderr
    assert b"<sos:Capabilities" in unwritable.stdout


def test_headers_of_strange_proxies_do_not_count() -> None:
    forwarded = {"HTTP_X_FORWARDED_HOST": "public.example", "REMOTE_ADDR": "192.0.2.1"}
    assert b"http://h/cgi-bin/mapsos?" in get(CAPABILITIES, **forwarded).stdout
    trusted = get(CAPABILITIES, MAPSOS_TRUSTED_PROXIES="192.0.2.0/24", **forwarded)
    assert b"http://public.example/cgi-bin/mapsos?" in trusted.stdout


def test_without_a_method_it_says_what_it_is_for() -> None:
    done = run()
    assert done.stdout.decode() == NO_REQUEST
    assert done.returncode == 0


def test_a_client_that_goes_away_is_no_error() -> None:
    query = OBSERVATION.replace("offering=nile", "offering=hourly").replace("=discharge", "=air_temperature")
    environ = os.environ | {
        "MAPSERVER_CONFIG_FILE": str(EXAMPLES / "mapsos.conf"),
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": query,
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "/sos",
    }
    with subprocess.Popen([COMMAND], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"<om:ObservationCollection" in process.stdout.read(500)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def broken() -> Iterator[bytes]:
    yield b"<whole"
    raise OSError("the disk has gone")


def broken_at_once() -> Iterator[bytes]:
    raise OSError("the disk has gone")
    yield b""


def test_a_body_that_fails_stays_unfinished(caplog: pytest.LogCaptureFixture) -> None:
    out = io.BytesIO()
    assert write_response(Response(headers=(("A", "b"),), body=broken()), out) == 1
    assert out.getvalue() == b"A: b\r\n\r\n<whole"
    assert "the disk has gone" in caplog.text


def test_a_body_that_fails_at_once_is_no_response(caplog: pytest.LogCaptureFixture) -> None:
    out = io.BytesIO()
    assert write_response(Response(body=broken_at_once()), out) == 1
    assert out.getvalue() == b""
    assert "the disk has gone" in caplog.text


def test_without_headers_a_redirect_is_its_address() -> None:
    out = io.BytesIO()
    response = Response(302, (("Location", "https://example.org/?a=1&b=2"),))
    assert write_response(response, out, headers=False) == 0
    assert out.getvalue() == b"https://example.org/?a=1&b=2\n"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_no_header_can_bring_another(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_headers(Response(headers=(("Location", value),)))


def test_an_unknown_status_is_written_all_the_same() -> None:
    assert write_headers(Response(799)) == b"Status: 799 Unknown\r\n\r\n"


@pytest.mark.parametrize(("text", "length"), [("12", 12), ("", None), ("-1", None), ("many", None), ("٣", None)])
def test_the_length_of_the_body(text: str, length: int | None) -> None:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": text}
    request = read_request(environ, io.BytesIO(b"abc"), Settings())
    assert request.content_length == length
    assert request.read(2) == b"ab"
    assert request.query is None
