"""Background tiles: admitted by the policy of pages where the admin names them, and nothing else then."""

from __future__ import annotations

import pytest

from mapsos.config.settings import SettingsError, read_settings
from mapsos.pages.content_security import write_headers


def test_the_origin_of_tiles_is_the_only_one_more() -> None:
    policy = dict(write_headers("https://tiles.example.org:8443/base/{z}/{x}/{y}.png"))["Content-Security-Policy"]
    assert "img-src 'self' data: https://tiles.example.org:8443;" in policy
    assert policy.count("http") == 1
    assert "http" not in dict(write_headers("/tiles/{z}/{x}/{y}.png"))["Content-Security-Policy"]
    assert "http" not in dict(write_headers(None))["Content-Security-Policy"]


def test_tiles_are_read_from_the_settings() -> None:
    url = "https://tiles.example.org/{z}/{x}/{y}.png"
    assert read_settings({"MAPSOS_TILES": url}).tiles == url
    assert read_settings({"MAPSOS_TILES": "off"}).tiles is None


@pytest.mark.parametrize(
    "text",
    [
        "https://tiles.example.org/{z}/{x}.png",
        "https://tiles.example.org/{z}/{x}/{y}; script-src *",
        "//tiles.example.org/{z}/{x}/{y}",
        "ftp://tiles.example.org/{z}/{x}/{y}",
        "tiles",
    ],
)
def test_what_is_no_address_of_tiles_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        read_settings({"MAPSOS_TILES": text})
