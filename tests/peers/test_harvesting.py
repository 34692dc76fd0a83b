"""What pycsw takes over when it harvests a service: its calls of OWSLib, and what it makes records of.

pycsw 2.6.2 pins an OWSLib of its own, so what it reads (``core/metadata.py``, for http://www.opengis.net/sos/1.0) is
read here in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from mapsos.config.settings import read_settings
from tests.support.http_server import serve_application

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROOT = Path(__file__).parents[2]
HOURLY = (-122.3656, 37.6197, -122.3138, 47.4444)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = (ROOT / "examples" / "mapfiles" / "weather.map").read_text().replace("../../data", str(ROOT / "data"))
    allowed = '"sos_enable_request" "*" "sos_conformance" "mapserver strict"'
    path = tmp_path_factory.mktemp("harvest") / "weather.map"
    path.write_text(text.replace('"sos_enable_request" "*"', allowed))
    with serve_application(read_settings({"MS_MAPFILE": str(path), "MAPSOS_CACHE": "off"})) as address:
        yield address


@pytest.mark.parametrize("conformance", ["mapserver", "strict"])
def test_records_of_the_service_and_its_offerings(address: str, conformance: str) -> None:
    from owslib.sos import SensorObservationService

    source = SensorObservationService(f"{address}?conformance={conformance}", version="1.0.0")
    assert b"sea_surface_temperature" in etree.tostring(source._capabilities)
    assert (source.identification.title, source.identification.type) == ("Weather, ocean and river observations", "SOS")
    assert source.identification.version == "1.0.0"
    assert "Hourly and daily weather" in source.identification.abstract
    assert "discharge" in ",".join(source.identification.keywords)
    assert (source.provider.name, source.provider.contact.name) == ("Example Weather Office", "Jo Doe")
    assert (source.identification.accessconstraints, source.identification.fees) == ("none", "none")
    assert "GetObservation" in [operation.name for operation in source.operations]
    assert list(source.contents) == ["hourly", "daily", "mauna_loa", "pacific", "nile"]
    for offering in source.contents.values():
        assert offering.id
        assert offering.description
        assert offering.begin_position < offering.end_position
        assert all(offering.observed_properties)
        assert offering.bbox_srs.id.endswith("4326")


def test_rectangles_are_in_the_order_of_the_catalogue_where_documents_are_strict(address: str) -> None:
    """OWSLib takes EPSG 4326 for latitude first, which MapServer's corners are not and strict ones are."""
    from owslib.sos import SensorObservationService

    strict = SensorObservationService(f"{address}?conformance=strict", version="1.0.0")
    assert strict["hourly"].bbox == pytest.approx(HOURLY)
    mapserver = SensorObservationService(f"{address}?conformance=mapserver", version="1.0.0")
    assert mapserver["hourly"].bbox == pytest.approx((HOURLY[1], HOURLY[0], HOURLY[3], HOURLY[2]))
