from __future__ import annotations

import pytest
from lxml import etree

from .conftest import HREF, LAYER, NS, ROWS, WEB, World, layer_text, refusal, write_stations

CAPABILITIES = f"{{{NS['sos']}}}Capabilities"


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path, NS)]


def test_sections_are_written_in_order(world: World) -> None:
    root = world.ask("GetCapabilities")
    assert root.tag == CAPABILITIES
    assert [etree.QName(element).localname for element in root if isinstance(element.tag, str)] == [
        "ServiceIdentification",
        "ServiceProvider",
        "OperationsMetadata",
        "Filter_Capabilities",
        "Contents",
    ]


@pytest.mark.parametrize(
    ("sections", "expected"),
    [("Contents", ["Contents"]), ("ServiceProvider,Contents", ["ServiceProvider", "Contents"]), ("", [])],
)
def test_only_the_sections_asked_for(world: World, sections: str, expected: list[str]) -> None:
    root = world.ask("GetCapabilities", sections=sections)
    assert [etree.QName(element).localname for element in root if isinstance(element.tag, str)] == expected


def test_unknown_section_is_refused(world: World) -> None:
    assert refusal(world.ask("GetCapabilities", sections="Everything"))[:2] == ("InvalidParameterValue", "sections")


def test_extent_and_times_are_computed_where_the_map_is_silent(world: World) -> None:
    root = world.ask("GetCapabilities")
    assert texts(root, ".//gml:lowerCorner") == ["10.000000 50.000000"]
    assert texts(root, ".//gml:upperCorner") == ["12.000000 52.000000"]
    assert texts(root, ".//gml:beginPosition") == ["2001-01-01T00:00:00Z"]
    assert texts(root, ".//gml:endPosition") == ["2001-01-03T00:00:00Z"]


def test_extent_spans_the_layers_of_the_offering(world: World) -> None:
    write_stations(world.folder / "other.gpkg", [("D", "2002-01-01T00:00:00Z", 1.0, 1335833.9, 0.0)], epsg=3857)
    world.write_map(layer_text("l1"), layer_text("l2", "other.gpkg", epsg=3857))
    root = world.ask("GetCapabilities")
    assert texts(root, ".//gml:lowerCorner") == ["10.000000 0.000000"]
    assert texts(root, ".//gml:endPosition") == ["2002-01-01T00:00:00Z"]


def test_stated_extent_and_time_come_first(world: World) -> None:
    stated = ' "sos_offering_extent" "-1, -2, 3, 4" "sos_offering_timeextent" "1990"'
    world.write_map(layer_text(metadata=LAYER + stated))
    root = world.ask("GetCapabilities")
    assert texts(root, ".//gml:lowerCorner") == ["-1.000000 -2.000000"]
    assert texts(root, ".//gml:beginPosition") == ["1990"]
    end = root.find(".//gml:endPosition", NS)
    assert end is not None
    assert end.get("indeterminatePosition") == "now"


def test_procedures_come_from_the_data_and_follow_it(world: World) -> None:
    def procedures() -> list[str | None]:
        return [element.get(HREF) for element in world.ask("GetCapabilities").iterfind(".//sos:procedure", NS)]

    assert procedures() == [f"urn:ogc:def:procedure:{name}" for name in "ABC"]
    write_stations(world.folder / "obs.gpkg", [*ROWS, ("D", "2001-01-04T00:00:00Z", 7.5, 10.0, 50.0)])
    assert procedures() == [f"urn:ogc:def:procedure:{name}" for name in "ABCD"]


def test_observed_property_is_a_link_and_a_phenomenon(world: World) -> None:
    observed = world.ask("GetCapabilities").find(".//sos:observedProperty", NS)
    assert observed is not None
    assert observed.get(HREF) == "op"
    assert [element.get(HREF) for element in observed.iterfind(".//swe:component", NS)] == [
        "urn:ogc:def:property:OGC-SWE:1:stn",
        "urn:ogc:def:property:OGC-SWE:1:t",
        "urn:ogc:def:property:OGC-SWE:1:value",
    ]


def test_layer_that_is_off_is_not_described(world: World) -> None:
    world.write_map(
        layer_text("l1"),
        layer_text("l2", metadata=LAYER.replace('"off"', '"other"') + ' "sos_enable_request" "!GetCapabilities"'),
    )
    offerings = world.ask("GetCapabilities").findall(".//sos:ObservationOffering", NS)
    assert [offering.get(f"{{{NS['gml']}}}id") for offering in offerings] == ["off"]


def test_operations_that_nothing_is_on_for_are_not_listed(world: World) -> None:
    world.write_map(web=WEB.replace('"*"', '"GetCapabilities GetObservation"'))
    operations = world.ask("GetCapabilities").iterfind(".//ows:Operation", NS)
    assert [operation.get("name") for operation in operations] == ["GetCapabilities", "GetObservation"]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (LAYER.replace('"sos_procedure_item" "stn"', ""), ("NoApplicableCode", "mapserv")),
        (LAYER.replace('"sos_procedure_item" "stn"', '"sos_procedure_item" "x"'), ("NoApplicableCode", "mapserv")),
        (LAYER + ' "sos_offering_extent" "1,2,3"', ("InvalidParameterValue", "sos_offering_extent")),
        (LAYER + ' "sos_offering_timeextent" "1/2/3"', ("InvalidParameterValue", "sos_offering_timeextent")),
    ],
)
def test_faulty_metadata_are_refused_by_name(world: World, metadata: str, expected: tuple[str, str]) -> None:
    world.write_map(layer_text(metadata=metadata))
    assert refusal(world.ask("GetCapabilities"))[:2] == expected


def test_layer_without_rows_has_no_procedure(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", [])
    assert refusal(world.ask("GetCapabilities")) == (
        "InvalidParameterValue",
        "procedure",
        "msSOSGetCapabilities(): SOS server error. Invalid procedure stn",
    )


def test_missing_data_are_reported(world: World) -> None:
    (world.folder / "obs.gpkg").unlink()
    assert refusal(world.ask("GetCapabilities"))[:2] == ("NoApplicableCode", "mapserv")
