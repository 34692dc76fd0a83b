"""What pyoos asks, word for word, of a running service: stations by ``BBOX:``, and the words its collectors send twice.

pyoos itself needs netCDF4, and GDAL's wheels, so its requests are repeated here as they were recorded from pyoos 0.8.4
against ``mapsos serve`` (the collectors IoosSweSos, CoopsSos and NdbcSos), through the OWSLib client that it uses.
"""

from __future__ import annotations

import csv
import io
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsos.config.settings import read_settings
from tests.support.http_server import serve_application

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WEATHER = Path(__file__).parents[2] / "examples" / "mapfiles" / "weather.map"
PERIOD = "2010-07-01T00:00:00Z/2010-07-01T02:00:00Z"
RECORDED = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=hourly&observedProperty=air_temperature"
    "&responseFormat=text%2Fcsv&eventTime=2010-07-01T00%3A00%3A00Z%2F2010-07-01T02%3A00%3A00Z"
    "&featureOfInterest=BBOX%3A-123%2C47%2C-122%2C48"
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_application(read_settings({"MS_MAPFILE": str(WEATHER), "MAPSOS_CACHE": "off"})) as address:
        yield address


def read_stations(document: bytes) -> list[tuple[str, str]]:
    """Time and procedure of each row."""
    return [(row["time"], row["procedure"]) for row in csv.DictReader(io.StringIO(document.decode()))]


SEATTLE = [(f"2010-07-01T0{hour}:00:00Z", "SEA") for hour in range(3)]


@pytest.mark.parametrize(
    "query", [RECORDED, RECORDED + "&featureofinterest=BBOX%3A-123%2C47%2C-122%2C48"], ids=["IoosSweSos", "NdbcSos"]
)
def test_recorded_requests(address: str, query: str) -> None:
    with urllib.request.urlopen(f"{address}?{query}", timeout=60) as answer:
        assert read_stations(answer.read()) == SEATTLE


@pytest.mark.parametrize(
    ("box", "stations"),
    [
        ("-123,47,-122,48", {"SEA"}),
        ("-123,37,-122,38", {"SFO"}),
        ("-123.0,37.0,-122.0,48.0", {"SEA", "SFO"}),
        ("0,0,1,1", set()),
    ],
)
def test_stations_by_box(address: str, box: str, stations: set[str]) -> None:
    """What ``IoosSweSos(url).filter(bbox=..., variables=..., start=..., end=...).raw(offerings=...)`` calls."""
    answer = observe(address, box)
    assert {procedure for _, procedure in read_stations(answer)} == stations


def test_a_box_that_is_none_reaches_the_caller(address: str) -> None:
    from owslib.ows import ExceptionReport

    with pytest.raises(ExceptionReport) as caught:
        observe(address, "-123,47,-122")
    assert [(one["exceptionCode"], one["locator"]) for one in caught.value.exceptions] == [
        ("InvalidParameterValue", "featureofinterest")
    ]


def observe(address: str, box: str) -> bytes:
    from owslib.sos import SensorObservationService

    answer: bytes = SensorObservationService(address, version="1.0.0").get_observation(
        offerings=["hourly"],
        observedProperties=["air_temperature"],
        responseFormat="text/csv",
        eventTime=PERIOD,
        featureOfInterest=f"BBOX:{box}",
    )
    return answer
