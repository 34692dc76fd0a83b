"""XML that attacks the parser: refused, in bounded time and memory, and nothing is read or asked for by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fuzz.victim import judge, observe, open_victim, post, read, write_victim
from mapsos.app import Application
from mapsos.web.messages import Request
from tests.attacks.listener import Listener

from .bounds import bounded

NS = 'xmlns="http://www.opengis.net/sos/1.0"'
_ENTITIES = "".join("<!ENTITY e%d '%s'>" % (n, f"&e{n - 1};" * 10) for n in range(1, 10))  # noqa: UP031
_ATTRIBUTES = " ".join(f'a{n}="x"' for n in range(200_000))
_PREFIXES = " ".join(f'xmlns:a{n}="u"' for n in range(5000))
_LONG = "x" * 7_000_000




@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Application:
    return open_victim(write_victim(tmp_path_factory.mktemp("victim")))


def bodies(port: int, secret: Path) -> dict[str, bytes]:
    url = f"http://127.0.0.1:{port}/x"
    texts = {
        "external entity": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>'
        f"<GetCapabilities {NS}>&x;</GetCapabilities>",
        "entity by network": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url}">]><GetCapabilities {NS}>&x;</GetCapabilities>',
        "parameter entity": f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{url}"> %x;]><a/>',
        "document type by network": f'<!DOCTYPE a SYSTEM "{url}"><a/>',
        "billion laughs": f'<!DOCTYPE a [<!ENTITY e0 "ha">{_ENTITIES}]><a>&e9;</a>',
        "billion laughs in an attribute": f'<!DOCTYPE a [<!ENTITY e0 "ha">{_ENTITIES}]><a b="&e9;"/>',
        "quadratic": f'<!DOCTYPE a [<!ENTITY e "{_LONG[:100_000]}">]><a>{100_000 * "&e;"}</a>',
        "xinclude": f'<GetCapabilities {NS} service="SOS"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'href="file://{secret}" parse="text"/></GetCapabilities>',
        "xinclude in a parameter": f'<GetCapabilities {NS} service="SOS"><Sections>'
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{secret}" parse="text"/>'
        "</Sections></GetCapabilities>",
        "stylesheet": f'<?xml-stylesheet href="{url}"?><a/>',
        "schema location": f'<GetCapabilities {NS} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="a {url}" service="SOS"/>',
        "deep": "<a>" * 200_000,
        "deep and closed": "<a>" * 200_000 + "</a>" * 200_000,
        "many attributes": f"<GetCapabilities {NS} {_ATTRIBUTES}/>",
        "a huge attribute": f'<GetCapabilities {NS} service="{_LONG}"/>',
        "a huge name": f"<{_LONG}/>",
        "many elements": f"<GetObservation {NS}>{'<procedure>x</procedure>' * 200_000}</GetObservation>",
        "many unknown elements": f"<GetObservation {NS}>{''.join(f'<procedxxx{n}/>' for n in range(90_000))}"
        "</GetObservation>",
        "namespaces times elements": f"<GetObservation {NS} {_PREFIXES}>"
        f"<eventTime>{'<x/>' * 5000}</eventTime></GetObservation>",
        "utf-7": '<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE a +AFs-+ADw-!ENTITY x +ACI-y+ACI-+AD4-+AF0-+AD4-'
        "+ADw-a+AD4-+ACY-x;+ADw-/a+AD4-",
    }
    encoded = {name: text.encode() for name, text in texts.items()}
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        encoded[name] = texts["external entity"].encode(name)
    encoded["ebcdic"] = ('<?xml version="1.0" encoding="cp037"?>' + texts["external entity"]).encode("cp037")
    encoded["declared as what it is not"] = b'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'
    return encoded


@pytest.mark.parametrize("name", list(bodies(0, Path("/"))))
def test_bodies(victim: Application, listener: Listener, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the content of the secret file")
    body = bodies(listener.port, secret)[name]
    with bounded(seconds=20, megabytes=600):
        text = judge(victim.answer(post(body)))
    assert b"the content of the secret" not in text
    assert not listener.touched.is_set()
    # An element that the operation does not know is ignored, never followed.
    if name not in ("schema location", "xinclude"):
        assert b"ExceptionReport" in text


@pytest.mark.parametrize("name", [name for name in bodies(0, Path("/")) if not name.startswith(("utf-", "ebcdic"))])
@pytest.mark.parametrize("parameter", ["result", "eventTime", "featureOfInterest"])
def test_parameters(victim: Application, listener: Listener, tmp_path: Path, name: str, parameter: str) -> None:
    """The same as the value of a parameter, in a form."""
    secret = tmp_path / "secret"
    secret.write_text("the content of the secret file")
    value = bodies(listener.port, secret)[name][:2_000_000]
    form = observe("table").encode() + f"&{parameter}=".encode() + quote(value).encode()
    with bounded(seconds=20, megabytes=600):
        text = judge(victim.answer(post(form, "application/x-www-form-urlencoded")))
    assert b"the content of the secret" not in text
    assert b"ExceptionReport" in text
    assert not listener.touched.is_set()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "x-unknown"])
def test_compressed_bodies_are_refused_by_name(victim: Application, coding: str) -> None:
    import zlib

    bomb = zlib.compress(b" " * 10_000_000)
    response = victim.answer(post(bomb, HTTP_CONTENT_ENCODING=coding))
    text = read(response)
    assert b"ExceptionReport" in text
    assert b"Content-Encoding" in text


def test_a_request_may_say_that_nothing_is_compressed(victim: Application) -> None:
    body = f'<GetCapabilities {NS} service="SOS"/>'.encode()
    assert b"</sos:Capabilities>" in read(victim.answer(post(body, HTTP_CONTENT_ENCODING="identity")))
    assert isinstance(post(body), Request)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(victim: Application, encoding: str) -> None:
    """It is read as what it is, and half a character in it is refused."""
    good = f'<GetCapabilities {NS} service="SOS"/>'
    assert b"</sos:Capabilities>" in judge(victim.answer(post(good.encode(encoding))))
    broken = f'<GetCapabilities {NS} service="\ud800"/>'.encode(encoding, "surrogatepass")
    assert b"not well-formed" in judge(victim.answer(post(broken)))


@pytest.mark.parametrize("text", ["&#xD800;", "&#xDC00;", "\ud800", "\ud83d\ude00"])
def test_surrogates_are_no_characters(victim: Application, text: str) -> None:
    body = f'<GetCapabilities {NS} service="{text}"/>'.encode("utf-8", "surrogatepass")
    assert b"not well-formed" in judge(victim.answer(post(body)))


def test_utf_7_is_refused_by_name(victim: Application) -> None:
    body = f'<?xml version="1.0" encoding="UTF-7"?><GetCapabilities {NS} service="SOS"/>'.encode("utf-7")
    assert b"the encoding UTF-7 is not accepted" in judge(victim.answer(post(body)))
