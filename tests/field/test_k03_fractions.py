"""Two readings within a second differ in every format; times without fractions get none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.station_service import StationService, name_source, write_layer, write_rows

ROWS = [
    ("A", "2024-03-01T06:00:00.250Z", 1.0),
    ("A", "2024-03-01T06:00:00.5Z", 2.0),
    ("B", "2024-03-01T06:00:10Z", 3.0),
]
EXPECTED = ["2024-03-01T06:00:00.25Z", "2024-03-01T06:00:00.5Z", "2024-03-01T06:00:10Z"]
TIME = re.compile(r"2024-03-01T06:00:[\d.]+Z")
OM = "text/xml; subtype=om/1.0.0"


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "sqlite", "fgb"])
@pytest.mark.parametrize(
    ("response_format", "model"),
    [(OM, "om:Measurement"), (OM, "om:Observation"), ("text/csv", ""), ("application/json", "")],
)
def test_date_times(tmp_path: Path, suffix: str, response_format: str, model: str) -> None:
    driver = {"gpkg": "GPKG", "geojson": "GeoJSON", "sqlite": "SQLite", "fgb": "FlatGeobuf"}[suffix]
    path = tmp_path / f"levels.{suffix}"
    write_rows(path, driver, ROWS, times="datetime")
    # The time is in om:samplingTime, or a field of its own.
    service = StationService(tmp_path, write_layer(name_source(path), sos_time_alias="time"))
    more = {"resultModel": model} if model else {}
    found = sorted(set(TIME.findall(service.observe(responseFormat=response_format, **more).text)))
    assert found == EXPECTED
    found = TIME.findall(service.observe(responseFormat=response_format, eventTime=EXPECTED[0], **more).text)
    assert set(found) == {EXPECTED[0]}


def test_whole_seconds_have_no_fraction(tmp_path: Path) -> None:
    path = tmp_path / "levels.gpkg"
    write_rows(path, "GPKG", ROWS[2:], times="datetime")
    service = StationService(tmp_path, write_layer(name_source(path)))
    assert set(TIME.findall(service.observe(responseFormat=OM).text)) == {EXPECTED[2]}
