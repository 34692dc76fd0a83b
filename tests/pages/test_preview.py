"""The plot of many observations: a preview by the index while the means are computed, and then the means."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.operations.conftest import World, layer_text, write_stations
from tests.pages.chromium import PATIENCE
from tests.support.serve_command import serving

pytestmark = pytest.mark.slow

MINUTES = 20_000
MEANS, PREVIEW = "means of PT30M", "Preview: 667 observations, the first of each PT30M"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of a station with an observation each minute, in a table with an index."""
    folder = tmp_path_factory.mktemp("long")
    write_stations(folder / "obs.gpkg", [("A", "2001-01-01T00:00:00Z", 0.0, 10.0, 50.0)])
    database = sqlite3.connect(folder / "obs.gpkg")
    database.create_function("ST_IsEmpty", 1, lambda blob: 0)
    for name, value in (("ST_MinX", 10.0), ("ST_MaxX", 10.0), ("ST_MinY", 50.0), ("ST_MaxY", 50.0)):
        database.create_function(name, 1, lambda blob, value=value: value)
    with database:
        database.execute(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO obs (geom, stn, t, v) "
            "SELECT geom, stn, strftime('%Y-%m-%dT%H:%M:%fZ', '2001-01-01', i || ' minutes'), i % 60 FROM n, obs",
            (MINUTES - 1,),
        )
        database.execute("CREATE INDEX by_station ON obs (stn, t)")
    database.close()
    World(folder).write_map(layer_text(), head="EXTENT -180 -90 180 90", name="long.map")
    with serving(folder / "long.map", lines=2, MAPSOS_CACHE="off") as server:
        yield f"http://127.0.0.1:{server.port}/long/exts/SosSOE/procedures/A"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    # Every text that the status line has ever had.
    page.add_init_script(
        "window.told = []; addEventListener('DOMContentLoaded', () => { const status = "
        "document.getElementById('plot-status'); if (status) new MutationObserver(() => "
        "told.push(status.textContent)).observe(status, {childList: true}); });"
    )
    yield page
    context.close()
    assert faults == []


def hold(page: Page, function: str) -> list[Route]:
    """Requests of the function are not answered until somebody lets them go on."""
    held: list[Route] = []
    page.route(re.compile(f"aggregateFunction={function}"), lambda route: held.append(route))
    return held


def test_a_preview_is_there_before_the_means(page: Page, address: str) -> None:
    held = hold(page, "avg")
    page.goto(address)
    status, drawing = page.locator("#plot-status"), page.locator("#plot-drawing")
    expect(status).to_contain_text(PREVIEW, timeout=PATIENCE)
    expect(drawing.locator("canvas")).to_be_visible()
    assert not drawing.locator(".u-legend", has_text="highest").count()
    (means,) = held
    means.continue_()
    expect(status).to_contain_text(MEANS, timeout=PATIENCE)
    expect(drawing.locator(".u-legend")).to_contain_text("highest")
    expect(drawing.locator("canvas")).to_have_count(1)


def test_a_preview_that_comes_late_is_not_shown(page: Page, address: str) -> None:
    held = hold(page, "first")
    page.goto(address)
    expect(page.locator("#plot-status")).to_contain_text(MEANS, timeout=PATIENCE)
    assert len(held) == 1
    assert not [text for text in page.evaluate("told") if "Preview" in text]


def test_means_that_come_soon_are_not_preceded_by_a_preview(page: Page, address: str) -> None:
    """The clock of the page stands still: no time passes between the two answers."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    held = hold(page, "avg")
    with page.expect_response(re.compile("aggregateFunction=first")) as preview:
        page.goto(address)
    preview.value.finished()
    (means,) = held
    means.continue_()
    expect(page.locator("#plot-status")).to_contain_text(MEANS, timeout=PATIENCE)
    page.clock.run_for(5000)
    expect(page.locator("#plot-status")).to_contain_text(MEANS)
    assert not [text for text in page.evaluate("told") if "Preview" in text]


def test_a_new_question_puts_an_end_to_the_old_one(page: Page, address: str) -> None:
    held = hold(page, "avg")
    page.goto(address)
    expect(page.locator("#plot-status")).to_contain_text(PREVIEW, timeout=PATIENCE)
    page.get_by_label("To (UTC)").fill("2001-01-01T01:00:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#plot-status")).to_contain_text("Preview: 61 observations", timeout=PATIENCE)
    _, second = held
    second.continue_()
    expect(page.locator("#plot-status")).to_have_text("61 observations.", timeout=PATIENCE)
