"""The page of keys over a real server: who may see it, what its forms do, and how it looks in a browser."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html

from mapsos.access.keys import Key, read_digits
from mapsos.access.store import KeyStore, open_store
from mapsos.terms.times import DAY, current_time
from tests.pages.conftest import word_map
from tests.support.http_client import Reply, send

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATH = "/_mapsos/keys"
DIGITS = re.compile("[0-9a-f]{40}")
SAME = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Site:
    """A server with keys: its port, its store, the digits of its keys by name, and its log."""

    port: int
    store: KeyStore
    keys: dict[str, str]
    log: Path

    def get(self, key: str = "", **headers: str) -> Reply:
        return send(self.port, PATH, headers=self.sign(key) | headers)

    def post(self, fields: dict[str, str], key: str = "admin", **headers: str) -> Reply:
        """Send a form, as a browser does from the page unless headers say otherwise."""
        stated = {"Content-Type": "application/x-www-form-urlencoded"} | self.sign(key)
        return send(self.port, PATH, "POST", urlencode(fields).encode(), stated | (headers or SAME))

    def sign(self, key: str) -> dict[str, str]:
        if not key:
            return {}
        credentials = base64.b64encode(f"me:{self.keys.get(key, key)}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The weather and another map, in German, with a key that may manage keys and one that may not."""
    folder = tmp_path_factory.mktemp("site")
    folder.chmod(0o700)
    store = open_store(str(folder / "keys.db"))
    store.create()
    now = current_time()
    keys = {name: store.add(Key(name, "", created=now, may_admin=name == "admin")) for name in ("admin", "plain")}
    with store.database.connect() as connection:
        for days in range(1, 20):
            connection.run("INSERT INTO mapsos_key_counts VALUES ('plain', ?, ?)", (now // DAY - days, 10 * days))
    maps = [word_map(folder / "weather.map", "de"), word_map(folder / "other.map", "de-AT")]
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("MS_", "MAPSOS_"))} | {
        "MAPSOS_KEYS": str(folder / "keys.db"),
        "MAPSOS_KEYS_PAGE": "on",
        "MAPSOS_TRUSTED_PROXIES": "127.0.0.1",
        "MS_ERRORFILE": str(folder / "log"),
        "MS_DEBUGLEVEL": "5",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "mapsos", "serve", "--port", "0", "--workers", "1", *maps],
        stdout=subprocess.PIPE, env=environ, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rpartition(":")[2])
        yield Site(port, store, keys, folder / "log")
    finally:
        server.terminate()
        server.communicate(timeout=60)
        store.database.close()


def test_who_sees_it(site: Site) -> None:
    replies = {key: site.get(key) for key in ("", "0" * 40, "plain", "admin")}
    assert [reply.status for reply in replies.values()] == [401, 401, 403, 200]
    for reply in replies.values():
        assert reply.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert reply.headers.get_all("Cache-Control") == ["no-store"]
        assert "frame-ancestors 'self'" in reply.headers["Content-Security-Policy"]
    # Two headers: of two challenges in one Chromium reads the first alone, and asks nobody for a password.
    assert replies[""].headers.get_all("WWW-Authenticate") == ['Bearer realm="mapsos"', 'Basic realm="mapsos"']
    assert "manage keys" in replies["plain"].text
    for key in site.keys.values():
        assert all(key not in reply.text for reply in replies.values())
    today = site.store.count_days(current_time())
    assert (today["admin"][-1], today["plain"][-1]) == (0, 0)


def test_what_it_shows(site: Site) -> None:
    page = html.fromstring(site.get("admin").text)
    assert page.get("lang") == "de"
    assert page.findtext("head/title") == "API-Schlüssel"
    trail = [link.text for link in page.xpath("//nav//a")]
    assert trail == ["Dienste", "API-Schlüssel"]
    rows = {row[0].text: [cell.text_content().strip() for cell in row] for row in page.xpath("//form//tbody/tr")}
    assert rows["plain"][1] == f"{site.keys['plain'][:8]}…"
    assert rows["plain"][2:6] == ["Aktiv", "lesen", "keine Grenze", "0"]
    assert rows["admin"][3] == "lesen, schlüssel verwalten".replace("schlüssel", "Schlüssel")
    table = page.xpath("//details//tbody/tr")
    assert len(table) == 30
    assert [cell.text for cell in table[1]][1:] == ["10"]
    assert page.xpath("//input[@name='map']/@value") == ["other", "weather"]
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for control in page.xpath("//input|//select"):
        assert page.xpath("//label[@for=$id]", id=control.get("id")), control.get("name")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
        {"Origin": "http://evil.example"},
        {"Origin": "{own}.evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "null"},
        {"Referer": "{own}/_mapsos/keys"},
    ],
    ids=str,
)
def test_forms_of_other_pages_are_rejected(site: Site, headers: dict[str, str]) -> None:
    own = f"http://127.0.0.1:{site.port}"
    reply = site.post({"disable": "plain"}, **{name: text.format(own=own) for name, text in headers.items()})
    assert reply.status == 403
    assert "The form was not sent by this page" in reply.text
    assert site.store.show("plain", 0).active


def test_a_form_needs_the_right_key(site: Site) -> None:
    assert [site.post({"disable": "plain"}, key).status for key in ("", "plain")] == [401, 403]
    assert site.store.show("plain", 0).active


@pytest.mark.parametrize("headers", [SAME, {"Origin": "http://127.0.0.1:{port}"}], ids=str)
def test_a_key_is_disabled_and_enabled(site: Site, headers: dict[str, str]) -> None:
    stated = {name: text.format(port=site.port) for name, text in headers.items()}
    capabilities = "/weather?service=SOS&request=GetCapabilities"

    def ask() -> int:
        return send(site.port, capabilities, headers=site.sign("plain")).status

    assert ask() == 200
    reply = site.post({"disable": "plain"}, **stated)
    assert (reply.status, "plain ist gesperrt." in reply.text) == (200, True)
    assert ask() == 403
    reply = site.post({"enable": "plain"}, **stated)
    assert "plain ist freigegeben." in reply.text
    assert ask() == 200


def test_a_new_key_is_shown_once(site: Site) -> None:
    fields = {"add": "1", "name": "Müller & <b>", "per_day": "7", "map": "weather", "write": "1"}
    fields["expires"] = "2099-12-31"
    rejected = site.post(fields)
    assert rejected.status == 400
    page = html.fromstring(rejected.text)
    assert "expected a name" in page.xpath("//*[@role='alert']")[0].text
    assert page.xpath("//input[@id='add-name']/@value") == ["Müller & <b>"]
    assert page.xpath("//input[@id='add-write']/@checked")
    assert page.xpath("//input[@name='map'][@checked]/@value") == ["weather"]
    made = site.post(fields | {"name": "Müller"})
    assert made.status == 200
    assert "Location" not in made.headers
    (key,) = html.fromstring(made.text).xpath("//*[@id='new-key']/text()")
    assert DIGITS.fullmatch(key)
    assert made.text.count(key) == 1
    assert not DIGITS.search(site.get("admin").text)
    secret = read_digits(key)
    assert secret is not None
    found = site.store.find(secret, current_time())
    assert found is not None
    assert (found.name, found.per_day, found.maps, found.rights) == ("Müller", 7, ("weather",), ("read", "write"))
    assert send(site.port, "/weather?service=SOS&request=GetCapabilities&api-key=" + key).status == 200
    assert send(site.port, "/other?service=SOS&request=GetCapabilities&api-key=" + key).status == 401
    again = site.post(fields | {"name": "Müller"})
    assert (again.status, DIGITS.search(again.text)) == (409, None)
    rotated = site.post({"rotate": "1", "key": "Müller", "keep": "2"})
    (other,) = html.fromstring(rotated.text).xpath("//*[@id='new-key']/text()")
    assert other != key
    assert site.store.show("Müller", current_time()).retiring[0][0] == key[:8]
    log = site.log.read_text("utf-8")
    assert "POST /_mapsos/keys" in log
    assert all(digits not in log for digits in (key, other, *site.keys.values()))


def test_a_limit(site: Site) -> None:
    assert site.post({"limit": "1", "key": "plain", "per_day": "50"}).status == 200
    assert site.store.show("plain", 0).per_day == 50
    assert site.post({"limit": "1", "key": "plain", "per_day": ""}).status == 200
    assert site.store.show("plain", 0).per_day is None


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"limit": "1", "key": "plain", "per_day": "0"}, 400, "at least 1"),
        ({"limit": "1", "key": "plain", "per_day": "-5"}, 400, "expected an integer"),
        ({"limit": "1", "key": "plain", "per_day": "9" * 15}, 200, ""),
        ({"limit": "1", "key": "plain", "per_day": "9" * 30}, 400, "expected an integer"),
        ({"limit": "1", "key": "nothing", "per_day": "5"}, 404, "no key has the name"),
        ({"rotate": "1", "key": "plain", "keep": "soon"}, 400, "expected a number of hours"),
        ({"disable": "nothing"}, 404, "no key has the name"),
        ({"add": "1", "name": "n", "expires": "2020-01-01"}, 400, "is in the past"),
        ({"add": "1", "name": "n", "expires": "9999-01-01"}, 400, "within 100 years"),
        ({"add": "1", "name": "n", "expires": "soon"}, 400, "expected a day"),
        ({"add": "1", "name": "n", "map": "/etc/passwd"}, 400, "expected maps of this server"),
        ({"name": "n"}, 400, "has no button"),
        ({"add": "1", "name": "n" * 70_000}, 413, "larger than"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_forms_that_cannot_be_used(site: Site, fields: dict[str, str], status: int, text: str) -> None:
    digits = site.store.show("plain", 0).starts
    reply = site.post(fields)
    assert (reply.status, text in reply.text) == (status, True)
    assert site.store.show("plain", 0).starts == digits
    assert "n" not in [key.name for key, _ in site.store.list_keys(0)]


def test_other_methods_and_bodies(site: Site) -> None:
    headers = site.sign("admin") | SAME
    assert send(site.port, PATH, "DELETE", headers=headers).status == 405
    assert send(site.port, PATH, "POST", b"<x/>", headers).status == 400
    head = send(site.port, PATH, "HEAD", headers=headers)
    assert (head.status, head.text) == (200, "")


FORWARDED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "sensors.example.org"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # Another machine over plain HTTP; over HTTPS; a client here over HTTP, with the name of another host.
        (FORWARDED | {"X-Forwarded-Proto": "http"}, 403),
        (FORWARDED | {"X-Forwarded-Proto": "https"}, 200),
        ({"Host": "sensors.example.org"}, 403),
        ({"Host": "192.0.2.1"}, 403),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:80"}, 200),
    ],
    ids=str,
)
def test_keys_do_not_travel_in_the_clear(site: Site, headers: dict[str, str], status: int) -> None:
    reply = site.get("admin", **headers)
    assert reply.status == status
    assert ("over HTTPS" in reply.text) == (status == 403)
    # Without a key too: a browser must not ask for one then.
    assert site.get("", **headers).status == (403 if status == 403 else 401)


def test_an_origin_behind_a_proxy(site: Site) -> None:
    headers = FORWARDED | {"X-Forwarded-Proto": "https"}
    for origin, status in (("https://sensors.example.org", 200), ("http://sensors.example.org", 403)):
        assert site.post({"limit": "1", "key": "plain"}, **headers, Origin=origin).status == status


def test_it_is_off_unless_it_is_switched_on(base: str) -> None:
    port = int(base.rpartition(":")[2])
    assert send(port, PATH).status == 404
    assert send(port, PATH, headers={"X-Api-Key": "0" * 40}).status == 404


def test_without_a_store_nobody_sees_it(site: Site) -> None:
    path = Path(site.log).parent / "keys.db"
    path.rename(path.with_suffix(".away"))
    try:
        assert site.get("admin").status == 503
        assert site.post({"disable": "plain"}).status == 503
    finally:
        path.with_suffix(".away").rename(path)
    assert site.get("admin").status == 200


def test_it_is_not_hard_to_use(site: Site, browser: Browser) -> None:
    context = browser.new_context(http_credentials={"username": "me", "password": site.keys["admin"]})
    try:
        page = context.new_page()
        for width in (1100, 390):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme="dark" if width == 390 else "light", reduced_motion="reduce")
            page.goto(f"http://127.0.0.1:{site.port}{PATH}")
            page.wait_for_selector("#drawing canvas")
            page.click("summary")
            found = Axe().run(page).response["violations"]
            assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_browser(site: Site, browser: Browser, scripts: bool) -> None:
    context = browser.new_context(
        http_credentials={"username": "me", "password": site.keys["admin"]}, java_script_enabled=scripts
    )
    try:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.goto(f"http://127.0.0.1:{site.port}{PATH}")
        if scripts:
            page.wait_for_selector("#drawing canvas")
        assert page.locator("#drawing").is_visible() == scripts
        name = f"browser {scripts}"
        page.fill("#add-name", name)
        page.check("#add-write")
        page.click("button[name=add]")
        page.wait_for_selector("#new-key")
        assert page.url == f"http://127.0.0.1:{site.port}{PATH}"
        assert site.store.show(name, 0).may_write
        page.click(f"button[value='{name}']")
        page.wait_for_selector(f"button[name=enable][value='{name}']")
        assert not site.store.show(name, 0).active
        assert page.locator("#new-key").count() == 0
        assert faults == []
    finally:
        context.close()
