from __future__ import annotations

import pytest

from tests.support.open_files import count_open

from .conftest import HREF, LAYER, NS, ROWS, WEB, World, layer_text, read_xml, refusal, values, write_stations

ALL = ["1.5", "2.5", "3.5", "", "5.5"]


def test_answers_all_rows_in_source_order(world: World) -> None:
    assert values(world.observe()) == ALL


@pytest.mark.parametrize("offering", ["off", "OFF", "An offering"])
def test_offering_by_id_or_name(world: World, offering: str) -> None:
    assert len(values(world.observe(offering=offering))) == 5


@pytest.mark.parametrize(
    ("procedure", "expected"),
    [
        ("A", ["1.5", "3.5"]),
        ("urn:ogc:def:procedure:A", ["1.5", "3.5"]),
        ("URN:OGC:DEF:PROCEDURE:a", ["1.5", "3.5"]),
        ("C,A", ["1.5", "3.5", "5.5"]),
    ],
)
def test_procedure_by_id_or_urn(world: World, procedure: str, expected: list[str]) -> None:
    assert values(world.observe(procedure=procedure)) == expected


@pytest.mark.parametrize(
    ("procedure", "unknown"),
    [("X", "X"), ("A,nowhere", "nowhere"), ("X,a,urn:ogc:def:procedure:Y", "X,Y"), ("X,,Y", "X,Y")],
)
def test_unknown_procedures_are_refused_by_name(world: World, procedure: str, unknown: str) -> None:
    code, locator, text = refusal(world.observe(procedure=procedure))
    assert (code, locator) == ("InvalidParameterValue", "procedure")
    assert text.endswith(f" {unknown}") or f"Procedure {unknown} not found." in text


@pytest.mark.parametrize(
    ("event_time", "expected"),
    [
        ("2001-01-01", ["1.5", "2.5"]),
        ("2001-01-02/2001-01-03", ["3.5", "", "5.5"]),
        ("2001-01-02T06:00:00Z", [""]),
        ("2001-01-02T08:00:00+02:00", [""]),
        ("/2001-01-01", ["1.5", "2.5"]),
        ("2001-01-03/", ["5.5"]),
        ("2000,2001-01-03", ["5.5"]),
        ("latest", ["3.5", "", "5.5"]),
        ("first", ["1.5", "2.5", "5.5"]),
        ("<gml:TimeInstant><gml:timePosition>2001-01-03</gml:timePosition></gml:TimeInstant>", ["5.5"]),
        (
            "<ogc:TM_After><gml:TimeInstant><gml:timePosition>2001-01-02</gml:timePosition></gml:TimeInstant>"
            "</ogc:TM_After>",
            ["5.5"],
        ),
    ],
)
def test_event_time_selects(world: World, event_time: str, expected: list[str]) -> None:
    assert values(world.observe(eventTime=event_time)) == expected


def test_latest_is_of_what_else_was_asked_for(world: World) -> None:
    below = "<PropertyIsLessThan><PropertyName>value</PropertyName><Literal>3</Literal></PropertyIsLessThan>"
    assert values(world.observe(eventTime="latest", result=f"<Filter>{below}</Filter>")) == ["1.5", "2.5"]


def test_time_extent_that_cannot_meet_the_event_time_gives_nothing(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "sos_offering_timeextent" "1990/1995"'))
    assert values(world.observe(eventTime="2001")) == []


@pytest.mark.parametrize("extent", ["1990/2001-01-02", "1990/", "1990", "not a time"])
def test_time_extent_that_meets_it_leaves_the_choice_to_the_data(world: World, extent: str) -> None:
    world.write_map(layer_text(metadata=LAYER + f' "sos_offering_timeextent" "{extent}"'))
    assert len(values(world.observe(eventTime="2001"))) == 5


def test_time_item_that_is_no_column_refuses_event_time_but_nothing_else(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER.replace('"sos_timeitem" "t"', '"sos_timeitem" "nothing"')))
    root = world.observe()
    assert len(values(root)) == 5
    assert root.find(".//om:samplingTime", NS) is None
    assert refusal(world.observe(eventTime="2001"))[:2] == ("NoApplicableCode", "mapserv")


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (
            "<gml:Envelope><gml:lowerCorner>9 49</gml:lowerCorner>"
            "<gml:upperCorner>10.5 50.5</gml:upperCorner></gml:Envelope>",
            ["1.5", "3.5"],
        ),
        (
            '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>49 9</gml:lowerCorner>'
            "<gml:upperCorner>50.5 10.5</gml:upperCorner></gml:Envelope>",
            ["1.5", "3.5"],
        ),
        ("BBOX:9,49,10.5,50.5", ["1.5", "3.5"]),
        ("C", ["5.5"]),
        ("urn:ogc:def:procedure:C,A", ["1.5", "3.5", "5.5"]),
        ("urn:ogc:def:feature:OGC-SWE:3:transient", ALL),
    ],
)
def test_feature_of_interest_selects(world: World, feature: str, expected: list[str]) -> None:
    assert values(world.observe(featureOfInterest=feature)) == expected


def test_feature_by_its_own_id(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "gml_featureid" "v"'))
    assert values(world.observe(featureOfInterest="o_5.5")) == ["5.5"]


def test_a_place_said_twice_is_one_place(world: World) -> None:
    ask = (
        "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op&responseFormat=text/csv"
        "&featureOfInterest=BBOX:9,49,10.5,50.5&featureofinterest=BBOX:{}"
    )
    same = b"".join(map(bytes, world.send(ask.format("9,49,10.5,50.5")).body))
    assert same.count(b",A,") == 2
    assert b",B," not in same
    code, locator, _ = refusal(read_xml(world.send(ask.format("0,0,20,90"))))
    assert (code, locator) == ("InvalidParameterValue", "featureofinterest")


def test_unknown_feature_is_refused_by_name(world: World) -> None:
    code, locator, text = refusal(world.observe(featureOfInterest="nowhere"))
    assert (code, locator) == ("InvalidParameterValue", "featureofinterest")
    assert "nowhere" in text


def test_bbox_and_feature_and_result_all_count(world: World) -> None:
    everything = "<Filter><Not><PropertyIsNull><PropertyName>value</PropertyName></PropertyIsNull></Not></Filter>"
    assert values(world.observe(bbox="9,49,11.5,51.5", result=everything)) == ["1.5", "2.5", "3.5"]
    assert values(world.observe(bbox="9,49,11.5,51.5", featureOfInterest="BBOX:10.5,0,20,90")) == ["2.5", ""]


def test_map_extent_restricts_only_where_nothing_else_is_asked(world: World) -> None:
    world.write_map(head="EXTENT 9 49 10.5 50.5")
    assert values(world.observe()) == ["1.5", "3.5"]
    assert len(values(world.observe(bbox="0,0,90,90"))) == 5


@pytest.mark.parametrize("name", ["value", "VALUE", "v", "op", "urn:ogc:def:property:OGC-SWE:1:value"])
def test_names_in_a_filter(world: World, name: str) -> None:
    equal = f"<PropertyIsEqualTo><PropertyName>{name}</PropertyName><Literal>5.5</Literal></PropertyIsEqualTo>"
    assert values(world.observe(result=f"<Filter>{equal}</Filter>")) == ["5.5"]


def test_unknown_name_in_a_filter_is_refused(world: World) -> None:
    text = "<Filter><PropertyIsEqualTo><PropertyName>x</PropertyName><Literal>5</Literal></PropertyIsEqualTo></Filter>"
    assert refusal(world.observe(result=text)) == (
        "InvalidParameterValue",
        "result",
        "msSOSGetObservation(): SOS server error. Invalid component name in RESULT statement",
    )


def test_srs_name_reprojects_once(world: World) -> None:
    root = world.observe(srsName="urn:ogc:def:crs:EPSG::3857", procedure="C")
    point = root.find(".//gml:Point", NS)
    assert point is not None
    assert point.get("srsName") == "urn:ogc:crs:epsg:3857"
    x, y = map(float, point.findtext("gml:pos", "", NS).split())
    assert (round(x), round(y)) == (1335834, 6800125)


@pytest.mark.parametrize(("srs", "locator"), [("EPSG:9999", "srsName"), ("garbage", "srsName")])
def test_srs_name_that_is_not_offered_is_refused(world: World, srs: str, locator: str) -> None:
    assert refusal(world.observe(srsName=srs))[:2] == ("InvalidParameterValue", locator)


def test_srs_name_without_srs_metadata_is_refused(world: World) -> None:
    world.write_map(web=WEB.replace('"sos_srs" "EPSG:4326 EPSG:3857"', ""))
    assert refusal(world.observe(srsName="EPSG:4326"))[:2] == ("NoApplicableCode", "mapserv")


@pytest.mark.parametrize(("most", "expected"), [("2", 2), ("0", 10), ("many", 10), ("7", 7)])
def test_max_features_is_a_limit_for_the_whole_answer(world: World, most: str, expected: int) -> None:
    world.write_map(layer_text("l1"), layer_text("l2"), web=WEB + f' "sos_maxfeatures" "{most}"')
    assert len(values(world.observe())) == expected


def test_max_features_limits_a_datablock_too(world: World) -> None:
    world.write_map(web=WEB + ' "sos_maxfeatures" "2"')
    blocks = world.observe(resultModel="om:Observation").findall(".//om:result", NS)
    assert sum(len((block.text or "").strip().split("\n")) for block in blocks) == 2


def test_datablock_has_a_member_for_each_procedure(world: World) -> None:
    root = world.observe(resultModel="om:Observation")
    procedures = [element.get(HREF) for element in root.iterfind(".//om:procedure", NS)]
    assert procedures == [f"urn:ogc:def:procedure:{name}" for name in "ABC"]
    first = root.find(".//om:result", NS)
    assert first is not None
    assert (first.text or "").strip() == "2001-01-01T00:00:00Z,1.5\n2001-01-02T00:00:00Z,3.5"


def test_layers_of_an_offering_answer_each_by_its_own_columns(world: World) -> None:
    write_stations(world.folder / "other.gpkg", [("D", "2001-01-04T00:00:00Z", 7.5, 10.0, 50.0)])
    world.write_map(layer_text("l1"), layer_text("l2", "other.gpkg"))
    assert values(world.observe()) == [*ALL, "7.5"]
    assert values(world.observe(procedure="D")) == ["7.5"]


def test_disabled_layer_is_not_answered_through_its_sibling(world: World) -> None:
    world.write_map(layer_text("l1"), layer_text("l2", metadata=LAYER + ' "sos_enable_request" "!*"'))
    assert len(values(world.observe())) == 5


def test_missing_data_are_reported_without_their_path(world: World) -> None:
    (world.folder / "obs.gpkg").unlink()
    code, locator, text = refusal(world.observe())
    assert (code, locator) == ("NoApplicableCode", "mapserv")
    assert "l1" in text
    assert str(world.folder) not in text


def test_data_replaced_are_seen_at_once(world: World) -> None:
    assert refusal(world.observe(procedure="D"))[0] == "InvalidParameterValue"
    write_stations(world.folder / "obs.gpkg", [*ROWS, ("D", "2001-01-04T00:00:00Z", 7.5, 10.0, 50.0)])
    assert values(world.observe(procedure="D")) == ["7.5"]


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_client_that_goes_away_releases_the_data(world: World, chunks: int) -> None:
    write_stations(world.folder / "obs.gpkg", ROWS * 2000)
    response = world.send(
        "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op"
        "&responseFormat=text/xml;subtype=om/1.0.0"
    )
    assert count_open(world.folder) > 0
    body = iter(response.body)
    for _ in range(chunks):
        next(body)
    response.body.close()  # type: ignore[attr-defined]
    assert count_open(world.folder) == 0
