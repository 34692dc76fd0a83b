"""Cross-origin requests: what a browser is told, by origin and by what the settings admit."""

from __future__ import annotations

import pytest

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.web.messages import Request, Response

HTTP = {"SERVER_PROTOCOL": "HTTP/1.1"}
PAGE = "https://maps.example.org"
OTHER = "https://evil.example"


def ask(
    cors: tuple[str, ...], method: str = "GET", *, no_post: bool = False, **headers: str
) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer, none of which is there twice."""
    settings = Settings(cors=cors, http_status=True, no_post=no_post)
    response: Response = Application(settings).answer(Request(method, "service=SOS", environ=HTTP | headers))
    names = [name for name, _ in response.headers]
    assert len(names) == len(set(names))
    return response.status, dict(response.headers)


PREFLIGHT = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}


@pytest.mark.parametrize(
    ("cors", "origin", "allowed", "vary"),
    [
        ((), PAGE, None, None),
        (("*",), PAGE, "*", None),
        (("*",), "null", "*", None),
        (("*",), "", None, None),
        ((PAGE,), PAGE, PAGE, "Origin"),
        ((PAGE, OTHER), OTHER, OTHER, "Origin"),
        ((PAGE,), OTHER, None, "Origin"),
        ((PAGE,), PAGE + ":8443", None, "Origin"),
        ((PAGE,), "null", None, "Origin"),
        ((PAGE,), "", None, "Origin"),
    ],
)
def test_who_may_read(cors: tuple[str, ...], origin: str, allowed: str | None, vary: str | None) -> None:
    for method, more in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        _, headers = ask(cors, method, HTTP_ORIGIN=origin, **more)
        assert headers.get("Access-Control-Allow-Origin") == allowed
        assert headers.get("Vary") == vary
        assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_is_answered_without_a_map() -> None:
    status, headers = ask((PAGE,), "OPTIONS", HTTP_ORIGIN=PAGE, **PREFLIGHT)
    assert status == 204
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert "Content-Type" in headers["Access-Control-Allow-Headers"]
    assert int(headers["Access-Control-Max-Age"]) > 0
    assert ask((PAGE,), "OPTIONS", no_post=True, HTTP_ORIGIN=PAGE, **PREFLIGHT)[1]["Access-Control-Allow-Methods"] == (
        "GET, HEAD"
    )


def test_a_preflight_of_a_stranger_is_told_nothing() -> None:
    assert ask((PAGE,), "OPTIONS", HTTP_ORIGIN=OTHER, **PREFLIGHT) == (204, {"Vary": "Origin"})


@pytest.mark.parametrize("headers", [PREFLIGHT, {"HTTP_ORIGIN": PAGE}, {}])
def test_options_that_is_no_preflight_is_refused(headers: dict[str, str]) -> None:
    assert ask((PAGE,), "OPTIONS", **headers)[0] == 405


def test_options_is_refused_where_cors_is_off() -> None:
    assert ask((), "OPTIONS", HTTP_ORIGIN=PAGE, **PREFLIGHT)[0] == 405


def test_pages_may_read_what_answers_say_of_themselves() -> None:
    exposed = ask((PAGE,), HTTP_ORIGIN=PAGE)[1]["Access-Control-Expose-Headers"]
    assert {"ETag", "X-Request-Id", "Mapsos-Max-Features"} <= set(exposed.split(", "))


def test_the_command_line_keeps_its_headers() -> None:
    response = Application(Settings(cors=("*",))).answer(Request("GET", "service=SOS", environ={"HTTP_ORIGIN": PAGE}))
    assert [name for name, _ in response.headers] == ["Content-Type"]
