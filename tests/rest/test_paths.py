from __future__ import annotations

import pytest

from mapsos.rest.paths import RestPath, parse_rest_path, read_path, write_path

ARCGIS = "/arcgis/rest/services/weather/MapServer/exts/SosSOE"


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("/sos/all/http%3A%2F%2Fx/1?f=json", "/all/http://x/1"),
        ("/sos/all/http:/x/1", "/all/http:/x/1"),
        ("/sos/other/http://x/1", "/all/http:/x/1"),
        ("//sos/all/http://x/1", "/all/http:/x/1"),
        ("", "/all/http:/x/1"),
    ],
)
def test_slashes_that_a_server_made_one_are_read_from_what_the_client_wrote(uri: str, found: str) -> None:
    assert read_path({"SCRIPT_NAME": "/sos", "PATH_INFO": "/all/http:/x/1", "REQUEST_URI": uri}) == found


@pytest.mark.parametrize(
    ("uri", "info", "found"),
    [
        ("/sos/all/http%3A%2F%2Fx", "/all/http:%2F%2Fx", "/all/http://x"),
        ("/sos/all/a%2fb", "/all/a%2fb", "/all/a/b"),
        ("/sos/all/a%252Fb", "/all/a%2Fb", "/all/a%2Fb"),
    ],
)
def test_slashes_that_a_server_left_encoded_are_decoded(uri: str, info: str, found: str) -> None:
    assert read_path({"SCRIPT_NAME": "/sos", "PATH_INFO": info, "REQUEST_URI": uri}) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/weather/exts/SosSOE", RestPath("weather", "/weather/exts/SosSOE", "")),
        ("/weather/exts/sossoe/", RestPath("weather", "/weather/exts/sossoe", "")),
        ("/exts/SosSOE/observations", RestPath(None, "/exts/SosSOE", "observations")),
        (ARCGIS + "/observations/query", RestPath("weather", ARCGIS, "observations/query")),
        (ARCGIS + "/Features/Query/", RestPath("weather", ARCGIS, "features/query")),
        ("/weather/MapServer/exts/SosSOE", RestPath("weather", "/weather/MapServer/exts/SosSOE", "")),
        ("/w/exts/SosSOE/procedures/", RestPath("w", "/w/exts/SosSOE", "procedures")),
        ("/w/exts/SosSOE/procedures/urn:x:A", RestPath("w", "/w/exts/SosSOE", "procedure", "urn:x:A")),
        ("/w/exts/SosSOE/procedures/http://x/Ä b/", RestPath("w", "/w/exts/SosSOE", "procedure", "http://x/Ä b/")),
        ("/w/exts/SosSOE/Observations/a/b", RestPath("w", "/w/exts/SosSOE", "offering", "a/b")),
        ("/w/exts/SosSOE/features/a", RestPath("w", "/w/exts/SosSOE", None)),
        ("/w/exts/SosSOE/procedures/\udcff", RestPath("w", "/w/exts/SosSOE", None)),
        ("/w/exts/SosSOE/other", RestPath("w", "/w/exts/SosSOE", None)),
        ("/arcgis/rest/services", RestPath(None, "/arcgis/rest/services", "services")),
        ("/w/openapi.json", RestPath("w", "/w", "openapi")),
        ("/openapi.json", RestPath(None, "", "openapi")),
        ("", None),
        ("/", None),
        ("/weather", None),
        ("/arcgis/rest/services/weather/exts/SosSOE", None),
        ("/a/b/exts/SosSOE", None),
        ("/weather/exts/SosSOEx", None),
    ],
)
def test_reads_paths(path: str, found: RestPath | None) -> None:
    assert parse_rest_path(path) == found


def test_segments_are_percent_encoded_with_their_slashes() -> None:
    assert write_path("procedures", "http://x/Ä b?") == "/procedures/http:%2F%2Fx%2F%C3%84%20b%3F"
