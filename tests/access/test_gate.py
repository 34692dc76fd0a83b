"""Every interface by every adapter, without a key, with a wrong one, a right one, and others that are rejected."""

from __future__ import annotations

import base64

import pytest

from mapsos.access import gate as gates
from mapsos.access.log_store import read_entries
from mapsos.terms.times import DAY
from tests.support.keyed_service import (
    ADAPTERS,
    CAPABILITIES,
    INTERFACES,
    NEEDED,
    OBSERVE,
    Question,
    Server,
    read_text,
    write_service,
)

REJECTIONS = {
    "": (401, NEEDED),
    "wrong": (401, "API key invalid."),
    "expired": (401, "API key invalid."),
    "elsewhere": (401, "API key invalid."),
    "disabled": (403, "This API key is not active."),
    "full": (429, "The number of today API requests is too high. The limit is 1 per day."),
}
"""The status and the beginning of the text by the name of a key."""


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", INTERFACES)
def test_every_interface_rejects_in_its_own_form(server: Server, name: str, adapter: str) -> None:
    question, ask = INTERFACES[name], ADAPTERS[adapter]
    # A process for each request by CGI: the same for two kinds is enough there.
    rejections = {key: REJECTIONS[key] for key in ("", "wrong")} if adapter == "cgi" else REJECTIONS
    for key, (status, text) in rejections.items():
        reply = server.ask(question, key, ask)
        found = read_text(question, reply)
        assert (reply.status, text in found) == (status, True), (key, reply)
        if not reply.headers["Content-Type"].startswith("text/html"):
            assert found.startswith(text)
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)
        assert ("Retry-After" in reply.headers) == (status == 429)
        assert reply.headers["Cache-Control"] == "no-store"
    reply = server.ask(question, "right", ask)
    assert reply.status == 200, reply
    assert NEEDED not in reply.text
    assert "Exception" not in reply.text
    assert "private" in reply.headers["Cache-Control"]
    assert {"Authorization", "X-Api-Key"} <= set(reply.headers["Vary"].split(", "))
    assert server.count("right") == 1
    assert server.count("full") == 1


def test_status_codes_are_real_whatever_the_setting(server: Server) -> None:
    for setting in ("on", "off"):
        server.configure(MAPSOS_HTTP_STATUS=setting)
        assert server.ask(OBSERVE).status == 401


def basic(password: str, user: str = "anyone") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_keys_come_in_every_way(server: Server) -> None:
    key = server.keys["right"]
    for query, headers in (
        (f"{OBSERVE}&api-key={key}", {}),
        (f"API-Key={key.upper()}&{OBSERVE}", {}),
        (f"{OBSERVE}&%61pi%2Dkey={key}", {}),
        (OBSERVE, {"HTTP_X_API_KEY": key}),
        (OBSERVE, {"HTTP_AUTHORIZATION": f"Bearer {key}"}),
        (OBSERVE, {"HTTP_AUTHORIZATION": f"bearer {key.upper()}"}),
        (OBSERVE, {"HTTP_AUTHORIZATION": basic(key)}),
        (OBSERVE, {"HTTP_AUTHORIZATION": basic(key, "")}),
        (f"{OBSERVE}&api-key={key}", {"HTTP_X_API_KEY": key.upper(), "HTTP_AUTHORIZATION": f"Bearer {key}"}),
        (f"{OBSERVE}&api-key={key}&api-key=", {}),
    ):
        assert server.ask(query, **headers).status == 200, (query, headers)
    for query, headers, status in (
        (f"{OBSERVE}&api-key={key}", {"HTTP_X_API_KEY": server.keys["admin"]}, 400),
        (f"{OBSERVE}&api-key={key}&api-key={server.keys['admin']}", {}, 400),
        (f"{OBSERVE}&api-key={key[:-1]}", {}, 401),
        (f"{OBSERVE}&api-key={key}0", {}, 401),
        (f"{OBSERVE}&api-key=", {}, 401),
        (f"{OBSERVE}&key={key}", {}, 401),
        (OBSERVE, {"HTTP_AUTHORIZATION": "Basic !!!"}, 401),
        (OBSERVE, {"HTTP_AUTHORIZATION": f"Digest {key}"}, 401),
        (OBSERVE, {"HTTP_AUTHORIZATION": "Bearer"}, 401),
    ):
        assert server.ask(query, **headers).status == status, (query, headers)


@pytest.mark.parametrize("name", ["apikey", "API_KEY", "api-kye", "x-api-key", "api%5Fkey"])
@pytest.mark.parametrize("level", ["all", "none"])
def test_a_misspelt_parameter_gives_nothing_else(
    server: Server, caplog: pytest.LogCaptureFixture, name: str, level: str
) -> None:
    """A layer that needs a key would be missing without a word."""
    write_service(server.folder, web=level)
    key = server.keys["right"]
    for question in (Question(f"{CAPABILITIES}&{name}={key}"), Question(f"f=json&{name}={key}", "/exts/SosSOE")):
        reply = server.ask(question)
        assert reply.status == 400
        assert "did you mean api-key?" in reply.text
        assert key not in reply.text + caplog.text
    assert server.ask(f"{CAPABILITIES}&{name}=1").status == (401 if level == "all" else 200)
    assert server.count("right") == 0


def test_a_disabled_key_is_enabled_for_the_next_request(server: Server) -> None:
    store = server.store
    store.set_active("right", False)
    assert server.ask(OBSERVE, "right").status == 403
    store.set_active("right", True)
    assert server.ask(OBSERVE, "right").status == 200
    store.database.close()


def test_a_limit_holds_until_midnight(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 20_000 * DAY + DAY - 60_000_000
    clock = [now]
    monkeypatch.setattr(gates, "current_time", lambda: clock[0])
    store = server.store
    store.limit("right", 5)
    store.database.close()
    tag = server.ask(CAPABILITIES, "right").headers["ETag"]
    assert server.count("right") == 1
    assert server.ask(CAPABILITIES, "right", HTTP_IF_NONE_MATCH=tag).status == 304
    assert server.ask(Question(CAPABILITIES, method="HEAD"), "right").status == 200
    assert server.count("right") == 1
    # What is answered by an exception counts.
    assert server.ask("service=SOS&request=GetNothing", "right").status == 200
    assert [server.ask(OBSERVE, "right").status for _ in range(4)] == [200, 200, 200, 429]
    rejected = server.ask(OBSERVE, "right")
    assert "The limit is 5 per day." in rejected.text
    assert rejected.headers["Retry-After"] == "61"
    assert server.count("right") == 5
    clock[0] += 61_000_000
    assert server.ask(OBSERVE, "right").status == 200


def test_wrong_keys_from_one_address_are_limited(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "current_time", lambda: 20_000 * DAY + 15_000_000)
    replies = [server.ask(OBSERVE, "wrong") for _ in range(20)]
    assert [reply.status for reply in replies] == [401] * 10 + [429] * 10
    assert replies[-1].headers["Retry-After"] == "45"
    assert server.ask(OBSERVE, "wrong", REMOTE_ADDR="192.0.2.8").status == 401
    assert server.ask(OBSERVE, "right").status == 200
    # Those who have a network of IPv6 do not have as many addresses as they like.
    six = [server.ask(OBSERVE, "wrong", REMOTE_ADDR=f"2001:db8::{i}").status for i in range(12)]
    assert six == [401] * 10 + [429] * 2


def test_the_log_has_one_line_for_each_request_that_was_accepted(server: Server) -> None:
    server.ask(OBSERVE, "right")
    server.ask(INTERFACES["rest"], "right")
    server.ask(OBSERVE, "wrong")
    server.ask(OBSERVE, "full")
    server.ask(OBSERVE)
    first, second = server.read_log()
    assert (first.name, first.address, first.method, first.operation) == ("right", "192.0.2.7", "GET", "GetObservation")
    assert (first.status, first.rows, first.map) == (200, 2, str(server.folder / "service.map"))
    assert first.bytes == len(server.ask(OBSERVE, "right").text)
    assert second.rows == 3
    assert second.ms > 0


def test_open_capabilities(server: Server) -> None:
    server.configure(MAPSOS_KEYS_OPEN_CAPABILITIES="on")
    reply = server.ask(CAPABILITIES)
    assert reply.status == 200
    assert 'gml:id="open"' in reply.text
    assert server.ask(OBSERVE).status == 401
    assert server.ask(CAPABILITIES, "wrong").status == 401
    write_service(server.folder, web="all", closed_layer="all")
    reply = server.ask(CAPABILITIES)
    assert 'gml:id="open"' in reply.text
    assert 'gml:id="closed"' not in reply.text
    assert 'gml:id="closed"' in server.ask(CAPABILITIES, "right").text


def test_files_of_pages_need_no_key_and_are_not_counted(server: Server) -> None:
    page = server.ask(INTERFACES["page"], "right").text
    path = page.partition('href="/sos')[2].partition('"')[0]
    assert path.startswith("/_mapsos/static/")
    path, _, version = path.partition("?")
    counted = server.count("right")
    assert server.ask(Question(version, path)).status == 200
    assert server.ask(Question(version, path), "right").status == 200
    assert server.ask(Question(version, path), "wrong").status == 200
    assert server.count("right") == counted


def test_write_leaves_reading_open_and_checks_a_key_that_is_sent(server: Server) -> None:
    write_service(server.folder, web="write")
    for question in INTERFACES.values():
        assert server.ask(question).status == 200
    assert server.ask(OBSERVE, "wrong").status == 401
    assert server.ask(OBSERVE, "right").status == 200
    assert server.count("right") == 1


def test_address_lists_come_before_keys(server: Server) -> None:
    text = (server.folder / "service.map").read_text()
    (server.folder / "service.map").write_text(
        text.replace('"sos_title"', '"sos_denied_ip_list" "192.0.2.7" "sos_title"')
    )
    reply = server.ask(OBSERVE, "right")
    assert "not enabled" in reply.text
    assert server.ask(OBSERVE).text == reply.text
    assert server.count("right") == 0


def test_the_map_comes_before_the_key(server: Server) -> None:
    assert server.ask(f"map=/nowhere.map&{OBSERVE}").text == server.ask(f"map=/nowhere.map&{OBSERVE}", "wrong").text


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_without_a_store_a_map_that_needs_keys_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch, adapter: str
) -> None:
    server.configure(MAPSOS_KEYS="off")
    for name in ("observations", "rest", "page", "capabilities", "xml"):
        reply = server.ask(INTERFACES[name], "right", ADAPTERS[adapter])
        assert reply.status == 503
        assert NEEDED in read_text(INTERFACES[name], reply)
    write_service(server.folder, closed_layer="all")
    assert server.ask(OBSERVE).status == 200
    assert server.ask(OBSERVE.replace("open", "closed")).status == 503
    assert 'gml:id="closed"' not in server.ask(CAPABILITIES).text


def test_a_word_that_is_unknown_closes_the_map(server: Server) -> None:
    write_service(server.folder, web="al")
    assert server.ask(OBSERVE).status == 401


def test_pages_of_other_sites_may_send_keys_in_headers(server: Server) -> None:
    server.configure(MAPSOS_CORS="https://a.example")
    asked = {"HTTP_ORIGIN": "https://a.example", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
    preflight = server.ask(Question(OBSERVE, method="OPTIONS"), **asked)
    assert preflight.status == 204
    assert {"Authorization", "X-Api-Key"} <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    reply = server.ask(OBSERVE, "right", HTTP_ORIGIN="https://a.example")
    assert reply.headers["Access-Control-Allow-Origin"] == "https://a.example"
    rejected = server.ask(OBSERVE, HTTP_ORIGIN="https://a.example")
    assert (rejected.status, rejected.headers["Access-Control-Allow-Origin"]) == (401, "https://a.example")
    assert server.count("right") == 1


def test_a_rewritten_path_is_all_that_a_client_of_an_old_gateway_needs(server: Server) -> None:
    """Parameters as that gateway's clients send them: the key last, names in capitals."""
    query = f"SERVICE=SOS&VERSION=1.0.0&REQUEST=GetCapabilities&api-key={server.keys['right']}"
    assert server.ask(query).status == 200


def test_the_log_is_cleared_after_the_configured_days(server: Server) -> None:
    server.configure(MAPSOS_KEYS_LOG_DAYS="1")
    assert server.ask(OBSERVE, "right").status == 200
    log = gates._share_store(server.environ["MAPSOS_KEYS"], 1)[1]
    log.flush()
    store = server.store
    line = next(read_entries(store.database))
    with store.database.connect() as connection:
        connection.run("UPDATE mapsos_key_log SET time = time - ?", (DAY + 1,))
        connection.run("UPDATE mapsos_key_state SET value = 0 WHERE name = 'swept'")
    assert server.ask(CAPABILITIES, "right").status == 200
    log.flush()
    assert [found.operation for found in read_entries(store.database)] == ["GetCapabilities"]
    assert line.operation == "GetObservation"
    store.database.close()
    gates._share_store(server.environ["MAPSOS_KEYS"], 1)[0].database.close()


def test_the_page_that_manages_keys_is_off(server: Server) -> None:
    """MAPSOS_KEYS_PAGE has its tests with the page."""
    assert server.ask(Question("", "/_mapsos/keys"), "admin").status == 404
