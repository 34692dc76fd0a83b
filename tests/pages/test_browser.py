"""The pages in a real browser: clicked, dragged and run; no error, no request elsewhere, nothing inaccessible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from mapsos.pages.static_files import read_static
from mapsos.pages.wording import find_wording
from tests.pages.addresses import PAGES, ROOT
from tests.pages.chromium import PATIENCE
from tests.support.serve_command import serving

from .conftest import MAPS, word_map

pytestmark = pytest.mark.slow



class Tiles(BaseHTTPRequestHandler):
    """Background tiles, all the same."""

    def do_GET(self) -> None:
        body = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
        self.send_response(200)
        self.send_header("Content-Type", "image/svg+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def watched(browser: Browser, base: str) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    context.set_default_timeout(PATIENCE)
    found = Watched(context.new_page())
    page = found.page
    page.on("console", lambda message: found.faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.faults.append(str(error)))
    own = (f"{base}/", "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else found.faults.append(request.url))
    yield found
    context.close()
    assert found.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390])
def test_no_page_is_hard_to_use(watched: Watched, base: str, scheme: str, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    for name, path in PAGES.items():
        page.goto(base + path)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
        assert not found, f"{name}: {json.dumps(told)}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"


def test_from_the_address_of_the_server_to_curves(watched: Watched, base: str) -> None:
    page = watched.page
    page.goto(f"{base}/")
    page.get_by_role("link", name="weather", exact=True).click()
    for name, heading in (
        ("Observations", "Observations"),
        ("weather", "Weather, ocean and river observations"),
        ("Query observations", "Query observations"),
        ("weather", "Weather, ocean and river observations"),
        ("Features", "Features"),
        ("SFO", "SFO"),
        ("Its observations over time", "SFO"),
    ):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("#plot-drawing canvas")).to_be_visible()
    expect(page.locator("#plot-status")).to_contain_text("366 means of P1D")


def test_scripts_speak_the_language_of_the_page(browser: Browser, tmp_path: Path) -> None:
    with serving(word_map(tmp_path / "weather.map", "deu"), lines=2) as server:
        page = browser.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        base = f"http://127.0.0.1:{server.port}"
        page.goto(f"{base}{ROOT}/procedures/SFO")
        status = page.locator("#plot-status")
        expect(status).to_have_text(
            "366 Mittelwerte über P1D; das Band reicht vom niedrigsten zum höchsten Wert.", timeout=PATIENCE
        )
        expect(page.locator(".u-legend")).to_contain_text("Zeit")
        expect(page.locator("#plot-drawing")).to_have_attribute(
            "aria-label", re.compile("^Diagramm von .* bis .* UTC$")
        )
        expect(page.get_by_role("button", name="Vergrößern")).to_be_visible()
        expect(page.locator(".degree").get_by_text("°W").first).to_be_attached()
        page.get_by_role("button", name="SFO").press("Enter")
        expect(page.get_by_role("button", name="Fenster schließen")).to_be_visible()
        page.get_by_label("SFO", exact=True).uncheck()
        expect(status).to_have_text("Es ist keine Station gewählt.")
        found = Axe().run(page).response["violations"]
        assert not found, json.dumps(found)
        page.goto(f"{base}/_mapsos/builder/weather")
        expect(page.locator("#status")).to_contain_text("Status 200, application/json, ", timeout=PATIENCE)
        page.get_by_role("button", name="URL kopieren").click()
        expect(page.locator("#status")).to_contain_text(re.compile("Kopiert|markiert"))
        found = Axe().run(page).response["violations"]
        assert not found, json.dumps(found)
        page.close()
    assert faults == []


@pytest.mark.parametrize(
    ("language", "number", "text"),
    [
        ("en", 1, "1 observation."),
        ("en", 0, "0 observations."),
        ("fr", 0, "0 observation."),
        ("fr", 1000000, "1000000 observations."),
        ("de", 2, "2 Beobachtungen."),
        ("pl", 1, "1 obserwacja."),
        ("pl", 22, "22 obserwacje."),
        ("pl", 12, "12 obserwacji."),
    ],
)
def test_a_number_has_the_form_of_its_language(browser: Browser, language: str, number: int, text: str) -> None:
    script = read_static("wording.js")
    found = find_wording(language)
    assert script is not None
    assert found is not None
    texts = escape(found.scripts)
    document = f'<html lang="{language}-XX"><script src="/wording.js" data-texts="{texts}"></script></html>'
    page = browser.new_page()
    page.route("http://page.invalid/", lambda route: route.fulfill(content_type="text/html", body=document))
    page.route(
        "http://page.invalid/wording.js",
        lambda route: route.fulfill(content_type="text/javascript", body=script.content),
    )
    page.goto("http://page.invalid/")
    said = page.evaluate(f'wording.count({number}, "%(count)s observation.", "%(count)s observations.")')
    page.close()
    assert said == text


def test_a_station_on_the_map_leads_to_its_page(watched: Watched, base: str) -> None:
    page = watched.page
    page.goto(base + ROOT)
    page.get_by_role("button", name="MLO").press("Enter")
    page.locator(".leaflet-popup").get_by_role("link", name="MLO").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("MLO")


def test_two_stations_are_compared_and_a_period_is_dragged(watched: Watched, base: str) -> None:
    page = watched.page
    page.goto(f"{base}{ROOT}/procedures/SFO")
    status = page.locator("#plot-status")
    expect(status).to_contain_text("366 means of P1D")
    page.get_by_label("SEA", exact=True).check()
    expect(status).to_contain_text("732 means of P1D")
    expect(page.locator(".u-legend")).to_contain_text("SEA")
    over = page.locator(".u-over").bounding_box()
    assert over is not None
    # A hundredth of the year from its middle: hours instead of days.
    middle = over["x"] + over["width"] / 2
    page.mouse.move(middle, over["y"] + 50)
    page.mouse.down()
    page.mouse.move(middle + over["width"] / 100, over["y"] + 60, steps=4)
    page.mouse.up()
    expect(status).to_contain_text(re.compile(r"1[67]\d observations"))
    assert page.locator("#plot-begin").input_value().startswith("2010-07-0")
    page.mouse.move(middle, over["y"] + 50)
    expect(page.locator(".u-legend")).to_contain_text("2010-07-0")
    rows = page.request.get(base + (page.locator("#plot-csv").get_attribute("href") or "")).text().splitlines()
    assert {row.split(",")[1] for row in rows[1:]} == {"SEA", "SFO"}
    page.get_by_role("button", name="Whole period").click()
    expect(status).to_contain_text("732 means of P1D")


def test_paper_has_the_tables_and_nothing_that_only_a_screen_has_use_for(watched: Watched, base: str) -> None:
    page = watched.page
    page.emulate_media(media="print")
    for path in (f"{ROOT}/features/query", f"{ROOT}/observations/query?offering=daily"):
        page.goto(base + path)
        expect(page.locator("table")).to_be_visible()
        assert not page.locator("form, button, .map, footer nav, h2:text-is('Query')").locator("visible=true").count()


def test_tiles_are_asked_for_where_the_admin_names_them_and_nowhere_else(browser: Browser) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as tiles:
        Thread(target=tiles.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{tiles.server_port}"
        settings = {"MAPSOS_TILES": f"{origin}/{{z}}/{{x}}/{{y}}.svg", "MAPSOS_TILES_ATTRIBUTION": "Tiles of ours"}
        with serving(MAPS / "weather.map", lines=2, **settings) as server:
            page = browser.new_page()
            asked: list[str] = []
            faults: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            own = f"http://127.0.0.1:{server.port}"
            page.goto(own + ROOT)
            expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible(timeout=PATIENCE)
            expect(page.locator(".leaflet-control-attribution")).to_contain_text("Tiles of ours")
            page.close()
        tiles.shutdown()
    assert faults == []
    foreign = [url for url in asked if not url.startswith((f"{own}/", "data:"))]
    assert foreign
    assert all(re.fullmatch(rf"{origin}/\d+/-?\d+/-?\d+\.svg", url) for url in foreign)


def test_gaps_are_gaps(watched: Watched, base: str) -> None:
    page = watched.page
    page.goto(f"{base}{ROOT}/procedures/MLO")
    expect(page.locator("#plot-drawing canvas")).to_be_visible()
    times, values = page.evaluate("series.breakGaps([0, 10, 20, 90, 100], [1, 2, 3, 4, 5], 0)")
    assert times == [0, 10, 20, 30, 90, 100]
    assert values == [1, 2, 3, None, 4, 5]


def test_a_built_request_runs_both_ways(watched: Watched, base: str) -> None:
    page = watched.page
    page.goto(f"{base}/_mapsos/builder/weather")
    status, answer = page.locator("#status"), page.locator("#answer")
    expect(status).to_contain_text("Status 200, application/json")
    expect(page.locator("#drawing canvas")).to_be_visible()
    page.get_by_label("Procedures", exact=True).select_option("SEA")
    page.get_by_label("From (UTC)").fill("2010-07-01T00:00:00")
    page.get_by_label("To (UTC)").fill("2010-07-01T01:00:00")
    page.get_by_label("Format").select_option("text/csv")
    for corner, value in (("West", "-123"), ("South", "47"), ("East", "-122"), ("North", "48")):
        page.get_by_label(corner, exact=True).fill(value)
    texts = []
    for method in ("GET", "POST"):
        page.get_by_role("button", name=f"Run {method}").click()
        expect(status).to_contain_text("Status 200, text/csv")
        texts.append(answer.inner_text().splitlines())
    assert texts[0] == texts[1]
    assert len(texts[0]) == 3
    assert all(",SEA," in row for row in texts[0][1:])
    url = page.locator("#kvp").inner_text()
    assert page.request.get(url).text().splitlines() == texts[0]
    page.get_by_role("button", name="Copy URL").click()
    expect(status).to_contain_text(re.compile("Copied|marked"))
