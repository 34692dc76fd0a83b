"""The pages without JavaScript: what a parser, a screen reader and a text browser find, over a real server."""

from __future__ import annotations

import csv
import io
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.message import Message
from urllib.parse import parse_qs, urldefrag, urlencode, urljoin, urlsplit

import pytest
from lxml import html

from tests.pages.addresses import PAGES, ROOT


def fetch(url: str, **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_has_what_everybody_needs_to_find_the_way(base: str, path: str) -> None:
    status, headers, body = fetch(base + path)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    page = html.fromstring(body)
    assert page.get("lang")
    assert page.findtext("head/title")
    assert len(page.findall(".//h1")) == len(page.findall(".//main")) == len(page.findall(".//footer")) == 1
    assert page.xpath("//a[@class='skip'][@href='#content']")
    assert page.xpath("//main[@id='content']")
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(heading.get("scope") in ("col", "row") for heading in page.iter("th"))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for control in page.xpath("//input|//select|//textarea"):
        assert page.xpath("//label[@for=$id]", id=control.get("id")), control.get("name")
    trail = page.xpath("//nav[@aria-label='Breadcrumbs']//a")
    assert trail[0].text == "Services"
    assert trail[-1].get("aria-current") == "page"


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_nothing_stands_inside_a_page_that_its_policy_forbids(base: str, path: str) -> None:
    _, headers, body = fetch(base + path)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;")
    for part in ("connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    page = html.fromstring(body)
    assert not page.xpath("//style|//script[not(@src)]|//@style|//@*[starts-with(name(), 'on')]")
    assert all(urlsplit(url).netloc == "" for url in page.xpath("//script/@src|//link/@href|//img/@src"))


def test_every_link_of_every_page_leads_somewhere(base: str) -> None:
    found: dict[str, str] = {}
    for path in PAGES.values():
        page = html.fromstring(fetch(base + path)[2])
        for url in page.xpath("//a/@href|//script/@src|//link/@href"):
            whole, fragment = urldefrag(urljoin(base + path, url))
            if fragment and whole == base + path:
                assert page.xpath("//*[@id=$id]", id=fragment), f"{path}: {url}"
            if whole.startswith(base):
                found.setdefault(whole, path)
    assert len(found) > 80
    # Descriptions of sensors redirect to addresses of the examples, which do not exist.
    for url, path in found.items():
        if "request=DescribeSensor" not in url:
            assert fetch(url)[0] == 200, f"{path}: {url}"


@pytest.mark.parametrize(
    "name", ["service", "observations", "offering", "procedures", "procedure", "features", "feature"]
)
def test_a_resource_links_its_json_its_sos_request_and_itself(base: str, name: str) -> None:
    page = html.fromstring(fetch(base + PAGES[name])[2])
    links = page.xpath("//a/@href")
    formats = page.xpath("//nav[@aria-label='Formats']//a/@href")
    assert [url.rpartition("f=")[2] for url in formats] == ["json", "pjson", "html"]
    assert fetch(base + formats[0])[1]["Content-Type"] == "application/json; charset=UTF-8"
    assert fetch(base + formats[2])[2] == fetch(base + PAGES[name])[2]
    assert any("service=SOS" in url for url in links)
    if name != "features":
        assert any("responseFormat=text/csv" in url for url in links)


def test_a_procedure_downloads_its_own_observations(base: str) -> None:
    page = html.fromstring(fetch(base + PAGES["procedure"])[2])
    (url,) = page.xpath("//a[contains(@href, 'responseFormat=text/csv')]/@href")
    rows = fetch(base + url)[2].decode().splitlines()
    assert len(rows) == 1 + 8759
    assert {row.split(",")[1] for row in rows[1:]} == {"SFO"}


def test_a_table_has_a_hundred_rows_and_links_to_the_others(base: str) -> None:
    path = PAGES["observations query"].replace("observedProperty=wind", "observedProperty=wind_speed")
    seen: list[str] = []
    for first in (0, 100, 200):
        page = html.fromstring(fetch(base + path)[2])
        rows = page.xpath("//section[@id='result']//tbody/tr/td[1]/text()")
        assert len(rows) == 100
        assert bool(page.xpath("//a[@rel='prev']")) == (first > 0)
        seen += rows
        (path,) = page.xpath("//a[@rel='next']/@href")
    assert seen[0] == "2012-01-01"
    assert len(set(seen)) == 300


@pytest.mark.parametrize(
    ("parameters", "offerings", "filters"),
    [
        ({"offering": "daily", "observedProperty": "wind_speed"}, {"daily"}, {}),
        ({"procedure": "SEA,SFO", "featureOfInterest": "SFO"}, None, {"procedure": ["SFO"]}),
        (
            {"offering": "hourly", "temporalFilter": "during:2010-07-01T02:00:00+02:00,2010-07-02T00:00:00Z"},
            {"hourly"},
            {"eventTime": ["2010-07-01T00:00:00Z/2010-07-02T00:00:00Z"]},
        ),
        (
            {"offering": "hourly", "temporalFilter": "before:2010-01-02"},
            {"hourly"},
            {"eventTime": ["../2010-01-01T23:59:59Z"]},
        ),
        (
            {"offering": "hourly", "temporalFilter": "after:2010-12-30T00:00:00Z", "spatialFilter": "-123,47,-122,48"},
            {"hourly"},
            {"eventTime": ["2010-12-30T00:00:01Z/.."], "bbox": ["-123.0,47.0,-122.0,48.0"]},
        ),
    ],
)
def test_downloads_of_a_query_are_filtered_as_it_is(
    base: str, parameters: dict[str, str], offerings: set[str] | None, filters: dict[str, list[str]]
) -> None:
    query = f"{base}{ROOT}/observations/query?{urlencode(parameters)}"
    page = html.fromstring(fetch(query)[2])
    links = page.xpath("//section[@aria-labelledby='whole-heading']//a[text()='GetObservation']/@href")
    asked = [parse_qs(urlsplit(link).query) for link in links]
    assert {ask["offering"][0] for ask in asked} == offerings if offerings else asked
    rows: set[tuple[str, ...]] = set()
    for link, ask in zip(links, asked, strict=True):
        assert {name: ask.get(name) for name in ("procedure", "eventTime", "bbox") if name in ask} == filters
        table = urlencode({name: values[0] for name, values in ask.items()} | {"responseFormat": "text/csv"})
        path = urlsplit(link).path
        rows |= {tuple(row.split(",")[:2]) for row in fetch(f"{base}{path}?{table}")[2].decode().splitlines()[1:]}
    found = json.loads(fetch(f"{query}&f=json")[2])["observationData"]
    assert found
    assert {(read_moment(row["phenomenonTime"]), row["procedure"]) for row in found} == {
        (read_moment(time), procedure) for time, procedure in rows
    }


def test_a_page_says_what_its_downloads_leave_out(base: str) -> None:
    said = {"where": "numeric_value > 0", "spatialFilter": "-122.3138,47.4444", "resultRecordCount": "1"}
    page = html.fromstring(fetch(f"{base}{ROOT}/observations/query?{urlencode(said)}")[2])
    (text,) = page.xpath("//section[@aria-labelledby='whole-heading']/p/text()")
    assert text.endswith("of each offering. The condition is disregarded. The area is disregarded.")


@pytest.mark.parametrize(
    "parameters",
    [
        {"offering": "daily", "observedProperty": "wind_speed", "temporalFilter": "before:2012-01-20"},
        {"procedure": "SEA", "temporalFilter": "during:2010-07-01T00:00:00+02:00,2010-07-01T12:00:00+02:00"},
        {"offering": "hourly", "featureOfInterest": "SFO", "temporalFilter": "equals:2010-07-01T02:00:00Z"},
        {"offering": "hourly", "spatialFilter": "-122.3138,47.4444", "temporalFilter": "after:2010-12-31T12:00:00Z"},
        {
            "offering": "hourly",
            "spatialFilter": "{rings:[[[-123,40],[-123,48],[-122,48],[-123,40]]]}",
            "temporalFilter": "equals:2010-07-01T02:00:00Z",
        },
        {"offering": "hourly", "where": "numeric_value > 70 AND uom IS NOT NULL", "spatialFilter": "-123,40,-122,48"},
        {"where": "procedure = 'SEA' AND time_stamp < TIMESTAMP '2010-01-01 12:00:00'"},
        {"offering": "nile", "where": "numeric_value > 1200", "resultOffset": "1", "resultRecordCount": "2"},
    ],
    ids=lambda parameters: " ".join(parameters),
)
def test_the_csv_of_a_query_has_the_rows_of_its_table(base: str, parameters: dict[str, str]) -> None:
    path: str | None = f"/weather/exts/SosSOE/observations/query?{urlencode(parameters)}"
    tabled: list[tuple[str, ...]] = []
    if "resultOffset" in parameters:
        # The table that the page links is that of all rows, not of those on the page.
        plain = {name: text for name, text in parameters.items() if not name.startswith("result")}
        linked = read_page(base, path)
        path = f"/weather/exts/SosSOE/observations/query?{urlencode(plain)}"
    else:
        linked = read_page(base, path)
    (url,) = linked.xpath("//section[@aria-labelledby='whole-heading']//a[text()='CSV']/@href")
    while path is not None:
        page = read_page(base, path)
        for row in page.xpath("//section[@id='result']//tbody/tr"):
            cells = ["".join(cell.itertext()) for cell in row.xpath("td")]
            tabled.append(tuple(cells[1:5]))
        path = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    status, headers, body = fetch(base + url)
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=UTF-8; header=present")
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
    assert tabled
    assert len(rows) == len(tabled)
    for row, (procedure, observed, value, uom) in zip(rows, tabled, strict=True):
        assert (row["procedure"], row["observed_property"], row["uom"]) == (procedure, observed, uom)
        assert float(row["value"] or "nan") == pytest.approx(float(value or "nan"), nan_ok=True)


def read_page(base: str, path: str) -> html.HtmlElement:
    return html.fromstring(fetch(base + path)[2])


def read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def test_the_form_proposes_a_condition_that_can_be_read(base: str) -> None:
    page = html.fromstring(fetch(f"{base}{ROOT}/observations/query?resultRecordCount=1")[2])
    (hint,) = page.xpath("//small[@id='where-hint']/text()")
    assert fetch(f"{base}{ROOT}/observations/query?{urlencode({'where': hint, 'resultRecordCount': '1'})}")[0] == 200


def test_an_error_is_a_page_where_a_page_was_asked_for(base: str) -> None:
    status, headers, body = fetch(f"{base}{ROOT}/procedures/%3Cscript%3E")
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
    assert b"<script>" not in body
    assert b"&lt;script&gt;" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    status, headers, _ = fetch(f"{base}{ROOT}/procedures/nothing?f=json")
    assert (status, headers["Content-Type"]) == (404, "application/json; charset=UTF-8")
    assert fetch(f"{base}{ROOT}/observations/query?where=result+%3E")[0] == 400
    assert fetch(f"{base}/_mapsos/builder/nothing")[0] == fetch(f"{base}/_mapsos/static/../page.py")[0] == 404


def test_the_page_of_an_error_keeps_its_place_and_what_was_typed(base: str) -> None:
    _, _, body = fetch(f"{base}{ROOT}/observations/query?procedure=a%22b&where=result+%3E")
    assert f'<a href="{ROOT}/observations">Observations</a>'.encode() in body
    assert b'name="procedure" value="a&#34;b"' in body
    assert b'name="where" value="result &gt;"' in body
    _, _, body = fetch(f"{base}{ROOT}/features/query?spatialFilter=1,2")
    assert b'name="spatialFilter" value="1,2"' in body
    assert f'<a href="{ROOT}">'.encode() in fetch(f"{base}{ROOT}/procedures/nothing")[2]


def test_the_address_of_the_server_is_a_page_for_browsers_only(base: str) -> None:
    _, headers, body = fetch(f"{base}/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert headers["Content-Type"] == "text/html; charset=UTF-8"
    assert headers["Vary"] == "Accept-Encoding, Accept"
    status, known, _ = fetch(f"{base}/", Accept="text/html", If_None_Match=headers["ETag"])
    assert (status, known["Vary"]) == (304, "Accept-Encoding, Accept")
    assert html.fromstring(body).xpath("//a[@href='/_mapsos/builder/weather']")
    _, headers, body = fetch(f"{base}/", Accept="*/*")
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert headers["Vary"] == "Accept"
    assert body.startswith(b"/weather?")
    assert "Accept" not in fetch(f"{base}{ROOT}")[1]["Vary"].split(", ")


def test_files_of_the_pages_are_kept_by_browsers(base: str) -> None:
    page = html.fromstring(fetch(base + PAGES["procedure"])[2])
    files = page.xpath("//script/@src|//link/@href")
    assert {urlsplit(url).path.rpartition("/")[2] for url in files} >= {"pages.css", "uPlot.iife.js", "leaflet.js"}
    for url in files:
        _, headers, _ = fetch(base + url)
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert fetch(base + url, If_None_Match=headers["ETag"])[0] == 304
    assert fetch(base + files[0], Accept_Encoding="gzip")[1]["Content-Encoding"] == "gzip"
