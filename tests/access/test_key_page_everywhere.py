"""The page of keys by every adapter, behind a proxy that ends TLS, and what is left of a key that it has made."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.support.keyed_service import ADAPTERS, ADDRESS, OBSERVE, Question, Server

TLS = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "sensors.example.org"}
PAGE = Question("", "/_mapsos/keys", headers=TLS)
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_SEC_FETCH_SITE": "same-origin"}


def fill_in(**fields: str) -> Question:
    """The form of the page as a browser sends it."""
    return Question("", PAGE.path, body=urlencode(fields), headers=TLS | FORM)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_page(server: Server, adapter: str) -> None:
    server.configure(MAPSOS_KEYS_PAGE="on", MAPSOS_TRUSTED_PROXIES=ADDRESS, MAPSOS_CORS="*")
    ask = ADAPTERS[adapter]
    assert [server.ask(PAGE, key, ask).status for key in ("", "right", "admin")] == [401, 403, 200]
    assert server.ask(Question("", PAGE.path), "admin", ask).status == 403
    made = server.ask(fill_in(add="1", name="new"), "admin", ask)
    assert made.status == 200
    assert made.headers["Cache-Control"] == "no-store"
    (key,) = set(re.findall(r"\b[0-9a-f]{40}\b", made.text))
    assert server.ask(Question(OBSERVE, headers={"HTTP_X_API_KEY": key}), "", ask).status == 200
    assert server.ask(fill_in(disable="new"), "admin", ask).status == 200
    assert server.ask(Question(OBSERVE, headers={"HTTP_X_API_KEY": key}), "", ask).status == 403
    elsewhere = fill_in(enable="new").headers | {"HTTP_SEC_FETCH_SITE": "cross-site"}
    assert server.ask(Question("", PAGE.path, body="enable=new", headers=elsewhere), "admin", ask).status == 403
    assert server.ask(Question(OBSERVE, headers={"HTTP_X_API_KEY": key}), "", ask).status == 403
    # What the admin did is in the log, and counts for nothing.
    found = [(entry.method, entry.status) for entry in server.read_log() if entry.name == "admin"]
    assert found == [("GET", 200), ("POST", 200), ("POST", 200)]
    assert (server.count("admin"), server.count("new")) == (0, 1)
    written = [path for path in server.folder.rglob("*") if path.is_file()]
    assert {"log", "keys.db"} <= {path.name for path in written}
    for path in written:
        content = path.read_bytes()
        assert key.encode() not in content, path
        assert bytes.fromhex(key) not in content, path


def test_without_posts_it_has_no_forms(server: Server) -> None:
    server.configure(MAPSOS_KEYS_PAGE="on", MAPSOS_TRUSTED_PROXIES=ADDRESS, MS_NO_POST="1")
    assert "<form" not in server.ask(PAGE, "admin").text
    assert server.ask(fill_in(disable="right"), "admin").status == 405


def test_it_is_a_page_like_others(server: Server) -> None:
    server.configure(MAPSOS_KEYS_PAGE="on", MAPSOS_TRUSTED_PROXIES=ADDRESS, MAPSOS_REST="off")
    assert "<table" not in server.ask(PAGE, "admin").text
    server.configure(MAPSOS_KEYS_PAGE="on", MAPSOS_TRUSTED_PROXIES=ADDRESS, MAPSOS_REST="on", MAPSOS_KEYS="off")
    assert server.ask(PAGE).status == 503
