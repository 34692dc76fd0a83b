"""Links from a page of rows to the ones before and after it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from tests.rest.limited import Limited


@pytest.mark.parametrize(
    ("maxfeatures", "parameters", "earlier", "later"),
    [
        ("5", {}, None, "5"),
        ("5", {"resultOffset": "10"}, "5", "15"),
        ("5", {"resultOffset": "3"}, "0", "8"),
        ("5", {"resultOffset": "10", "resultRecordCount": "4"}, "6", "14"),
        ("5", {"resultOffset": "10", "resultRecordCount": "30"}, "5", "15"),
        ("0", {"resultOffset": "30"}, "0", None),
        ("0", {"resultOffset": " 30 ", "resultRecordCount": " "}, "0", None),
    ],
)
def test_links_lead_to_neighbouring_rows(
    tmp_path: Path, maxfeatures: str, parameters: dict[str, str], earlier: str | None, later: str | None
) -> None:
    limited = Limited(tmp_path)
    limited.map = {"web": f'"sos_maxfeatures" "{maxfeatures}"'}
    page = html.fromstring(limited.ask(f="html", **parameters).body)
    for rel, offset in (("prev", earlier), ("next", later)):
        links = page.xpath("//a[@rel=$rel]/@href", rel=rel)
        found = [parse_qs(urlsplit(link).query)["resultOffset"] for link in links]
        assert found == ([] if offset is None else [[offset]]), rel
