"""The examples work without the internet: every URL that script/server prints, and every link of their pages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, build_opener

import pytest

from tests.support.serve_command import Server, serving

ROOT = Path(__file__).parents[2]
MOST_PAGES = 400
"""More links than this are not walked: there are as many pages of rows as one likes."""


class Links(HTMLParser):
    """What a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and ((tag in ("a", "link") and name == "href") or (tag in ("script", "img") and name == "src")):
                self.found.append(value)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """As script/server starts it, on a free port."""
    script = (ROOT / "script" / "server").read_text().replace("\\\n", "")
    (command,) = re.findall(r"^exec \.venv/bin/mapsos serve (.*)$", script, re.M)
    words = shlex.split(command.replace('--host "$host" --port "$port"', ""))
    printed = (ROOT / "examples" / "requests.txt").read_text().splitlines()
    named = [str(ROOT / word) if word.startswith("examples/") else word for word in words]
    with serving(*named, lines=2 + len(list(filter(None, printed)))) as running:
        yield running


def fetch(url: str) -> tuple[int, str, str]:
    """Status, type and content, as a browser gets them."""
    with build_opener().open(Request(url, headers={"Accept": "text/html,*/*;q=0.8"}), timeout=60) as answer:
        return answer.status, answer.headers.get_content_type(), answer.read().decode("utf-8", "replace")


def test_every_url_that_is_printed(server: Server) -> None:
    urls = [word for line in server.lines for word in line.split() if word.startswith("http://")]
    assert f"http://127.0.0.1:{server.port}/" in urls
    for url in urls:
        status, _, text = fetch(url)
        assert status == 200, url
        assert "ExceptionReport" not in text, url


def test_every_link_of_the_pages(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    waiting = [f"{base}/", *(f"{base}/{name}" for name in ("weather", "minimal", "every-key"))]
    seen = set(waiting)
    elsewhere = set()
    pages = 0
    while waiting and pages < MOST_PAGES:
        url = waiting.pop(0)
        pages += 1
        status, kind, text = fetch(url)
        assert status == 200, url
        assert "ows:ExceptionReport" not in text[:2000], url
        if kind != "text/html":
            continue
        links = Links()
        links.feed(text)
        for link in links.found:
            # The maps name the port that script/server has by default.
            target = urldefrag(urljoin(url, link))[0].replace("http://127.0.0.1:8080/", f"{base}/")
            if target.startswith("mailto:"):
                continue
            if urlsplit(target).netloc != urlsplit(base).netloc:
                elsewhere.add(target)
            elif target not in seen:
                seen.add(target)
                waiting.append(target)
    assert elsewhere == set()
    assert pages > 50
    assert any("DescribeSensor" in url for url in seen)
