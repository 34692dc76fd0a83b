"""One test for each defect of MapServer 8.0 (docs/mapserver-sos.md, "Defects"): what mapsos does instead, on real data.

Each also asks mapserv, so that what is said of it stays true.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr

from .cases import (
    SENSORML,
    Case,
    capabilities,
    compare,
    data_block,
    observation_type,
    observations,
    period,
    post_observations,
    sensor,
    within_filter,
)
from .comparison import Node, Side, differences, read_side
from .conftest import Ground
from .differences import DIFFERENCES, forget_false_zeros
from .expectations import (
    attributes,
    document,
    exception,
    members,
    redirects_to,
    text,
    values,
)
from .mapfiles import FIVE_SOURCES, ITEM, LAYER, layer, mapfile, without
from .stations_data import Column, Table, write_table
from .versions import mapserv_version

HOUR = period("2001-10-30T14:00:00Z", "2001-10-30T15:00:00Z")
IDS = {"sos_ID_alias": "id", "sos_offering_timeextent": None}
TWELVE = {"sos_timeitem": "T", "sos_N_alias": "n", "sos_offering_timeextent": None, "sos_VAL_alias": None}
URN = "urn:ogc:def:procedure:"


class Pair:
    """Asks both servers about a map that a test writes."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name

    def write(self, text: str, encoding: str = "utf-8") -> None:
        """Write the map that the test asks about."""
        (self._ground.root / "maps" / f"{self._name}.map").write_text(text, encoding=encoding)

    @property
    def data(self) -> Path:
        """Where the maps find their data."""
        return self._ground.root / "data"

    def case(self, query: str, body: bytes = b"", **environ: str | None) -> Case:
        method, content_type = ("POST", "text/xml") if body else ("GET", None)
        return Case("defect", self._name, query, method, body, content_type, environ)

    def ours(self, query: str, body: bytes = b"", **environ: str | None) -> Side:
        """What mapsos answers."""
        return read_side(self._ground.ask_mapsos(self._ground.call(self.case(query, body, **environ))))

    def theirs(self, query: str, body: bytes = b"", **environ: str | None) -> Side:
        """What mapserv answers."""
        return read_side(self._ground.ask_mapserv(self._ground.call(self.case(query, body, **environ))))


@pytest.fixture
def pair(ground: Ground, request: pytest.FixtureRequest) -> Pair:
    """Both servers, and a map of the test's own."""
    return Pair(ground, request.function.__name__)


def nodes(side: Side, name: str) -> list[Node]:
    return document(side).find(name)


def ids(*numbers: int) -> Callable[[Side], None]:
    return values("ms:id", [str(number) for number in numbers])


def test_d_01_reprojects_once(pair: Pair) -> None:
    meta = {"sos_timeitem": None, "sos_VAL_alias": "v"}
    pair.write(mapfile(layer(meta, source='DATA "mercator"', projection='"init=epsg:3857"')))
    values("gml:pos", ["-75.000000 45.000000", "0.000000 0.000000"])(pair.ours(observations()))
    values("gml:pos", ["-0.000674 0.000404", "0.000000 0.000000"])(pair.theirs(observations()))
    pair.write(mapfile(layer(IDS)))
    answer = pair.ours(observations(srsName="EPSG:3857"))
    x, y = nodes(answer, "gml:pos")[0].content.split()
    assert float(x) == pytest.approx(-8348961.809495, abs=1e-3)
    assert float(y) == pytest.approx(5621521.486192, abs=1e-3)
    trouble = pair.theirs(observations(srsName="EPSG:3857")).trouble
    assert trouble.startswith("exit code -11") if mapserv_version() < (8, 4) else not trouble


def test_d_01_polygons_keep_their_coordinates(pair: Pair) -> None:
    meta = {"sos_timeitem": None, "sos_ID_alias": "id"}
    pair.write(mapfile(layer(meta, source='DATA "polygons"', type="POLYGON")))
    texts = [node.content for node in nodes(pair.ours(observations(srsName="EPSG:3857")), "gml:coordinates")]
    assert texts
    assert all(len(found.split()) >= 4 for found in texts)


def test_d_02_groups_each_layer_by_its_own_procedures(pair: Pair) -> None:
    pair.write(mapfile(layer({**ITEM, **IDS}), layer(ITEM, name="l2", source='DATA "other"')))
    answer = pair.ours(data_block())
    attributes("om:procedure", "xlink:href", [URN + name for name in ("S1", "S2", "S3", "T1", "T2")])(answer)
    assert pair.theirs(data_block()).trouble.startswith("exit code -11")


@pytest.mark.parametrize("source", FIVE_SOURCES)
def test_d_03_selects_procedures_on_every_source(pair: Pair, source: str) -> None:
    pair.write(mapfile(layer({**ITEM, **IDS}, source=FIVE_SOURCES[source])))
    ids(3, 4, 5)(pair.ours(observations(procedure="S2,S3")))
    ids(*((3, 4, 5) if source == "shp" else ()))(pair.theirs(observations(procedure="S2,S3")))


def test_d_04_accepts_instants(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS)))
    instant = "<gml:TimeInstant><gml:timePosition>2001-10-30T14:24:55Z</gml:timePosition></gml:TimeInstant>"
    ids(1)(pair.ours(observations(eventTime=instant)))
    exception("InvalidParameterValue", "eventtime")(pair.theirs(observations(eventTime=instant)))
    body = post_observations(f"<eventTime><ogc:TM_Equals><ogc:PropertyName/>{instant}</ogc:TM_Equals></eventTime>")
    ids(1)(pair.ours("", body))
    exception("InvalidParameterValue", "eventtime")(pair.theirs("", body))


@pytest.mark.parametrize(
    ("operator", "expected", "theirs"),
    [("TM_During", (1,), (1,)), ("TM_After", (2, 3, 4, 5), (1,)), ("TM_Before", (), (1,)), ("TM_Equals", (1,), (1,))],
)
def test_d_05_tells_temporal_operators_apart(
    pair: Pair, operator: str, expected: tuple[int, ...], theirs: tuple[int, ...]
) -> None:
    pair.write(mapfile(layer(IDS)))
    body = post_observations(f"<eventTime><ogc:{operator}><ogc:PropertyName/>{HOUR}</ogc:{operator}></eventTime>")
    ids(*expected)(pair.ours("", body))
    ids(*theirs)(pair.theirs("", body))


def test_d_05_accepts_attributes_and_now(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS)))
    marked = HOUR.replace("<gml:TimePeriod>", '<gml:TimePeriod xmlns:gml="http://www.opengis.net/gml" gml:id="t">')
    ids(1)(pair.ours(observations(eventTime=marked)))
    exception("InvalidParameterValue", "eventtime")(pair.theirs(observations(eventTime=marked)))
    until_now = (
        "<gml:TimePeriod><gml:beginPosition>2003-01-01</gml:beginPosition>"
        '<gml:endPosition indeterminatePosition="now"/></gml:TimePeriod>'
    )
    ids(4, 5)(pair.ours(observations(eventTime=until_now)))


@pytest.mark.parametrize("source", ["shp", "gpkg", "geojson", "csv", "fgb"])
def test_d_06_compares_times_alike_on_every_source(pair: Pair, source: str) -> None:
    where = {
        "shp": 'DATA "twelve"',
        "csv": 'CONNECTIONTYPE OGR CONNECTION "twelve.vrt" DATA "twelve"',
    }.get(source, f'CONNECTIONTYPE OGR CONNECTION "twelve.{source}" DATA "twelve"')
    pair.write(mapfile(layer(TWELVE, source=where)))
    for begin, end, expected in (
        ("2001", "2002", "012345678"),
        ("2001-10-30", "2001-10-30", "012347"),
        ("2001-10-30T14:00:00Z", "2001-10-30T15:00:00Z", "0123"),
        ("2001-10-30T16:00:00+02:00", "2001-10-30T17:00:00+02:00", "0123"),
    ):
        answer = pair.ours(observations(eventTime=period(begin, end)))
        values("ms:n", list(expected))(answer)
    assert "".join(
        node.content for node in nodes(pair.theirs(observations(eventTime=period("2001", "2002"))), "ms:n")
    ) in (
        "01234567",
        "0123457",
    )


def test_d_06_an_open_end_and_no_extent_restrict_nothing(pair: Pair) -> None:
    for extent in ("1990/", "1990"):
        pair.write(mapfile(layer({**IDS, "sos_offering_timeextent": extent})))
        ids(1)(pair.ours(observations(eventTime=HOUR)))
        members(0)(pair.theirs(observations(eventTime=HOUR)))
    pair.write(mapfile(layer(IDS), extent=None))
    members(5)(pair.ours(observations()))
    members(0)(pair.theirs(observations()))


def test_d_07_judges_procedure_and_result_per_layer(pair: Pair) -> None:
    pair.write(
        mapfile(
            layer({**IDS, "sos_procedure": "S1"}),
            layer({"sos_procedure": "T1", "sos_DEPTH_alias": "depth"}, name="l2", source='DATA "other"'),
        )
    )
    values("ms:depth", ["11", "12"])(pair.ours(observations(procedure="T1")))
    exception("InvalidParameterValue", "procedure")(pair.theirs(observations(procedure="T1")))
    deep = within_filter(compare("PropertyIsGreaterThan", "depth", "11"))
    values("ms:depth", ["12"])(pair.ours(observations(result=deep)))
    exception("InvalidParameterValue", "result")(pair.theirs(observations(result=deep)))
    exception("InvalidParameterValue", "procedure")(pair.ours(observations(procedure="S77")))
    nowhere = within_filter(compare("PropertyIsGreaterThan", "nowhere", "11"))
    exception("InvalidParameterValue", "result")(pair.ours(observations(result=nowhere)))


def test_d_08_accepts_procedures_as_urn_and_bare(pair: Pair) -> None:
    pair.write(mapfile(layer({**ITEM, **IDS})))
    ids(3, 4)(pair.ours(observations(procedure=URN + "S2")))
    ids(3, 4)(pair.ours(observations(procedure="S2")))
    for name in ("S2", URN + "S2"):
        redirects_to("http://h/sensors/S2.xml")(pair.ours(sensor(procedure=name)))
    exception("InvalidParameterValue", "procedure")(pair.theirs(observations(procedure=URN + "S2")))
    exception("InvalidParameterValue", "procedure")(pair.theirs(sensor(procedure="S2")))


def test_d_09_shows_each_layer_by_its_own_items(pair: Pair) -> None:
    pair.write(
        mapfile(
            layer({"sos_procedure": "S1", "sos_TXT_alias": None}),
            layer({"sos_procedure": "T1", "sos_DEPTH_alias": "Depth"}, name="l2", source='DATA "other"'),
        )
    )
    answer = pair.ours(observations())
    second = nodes(answer, "ms:l2")
    found = [{child.name: child.content for child in node.children if child.name.startswith("ms:")} for node in second]
    assert [(row["ms:Depth"], row["ms:Value"], row["ms:Time"]) for row in found] == [
        ("11", "7.5000", "2001-10-30T14:24:55Z"),
        ("12", "8.5000", "2002-10-30T14:24:55Z"),
    ]
    block = pair.ours(data_block())
    attributes("om:procedure", "xlink:href", [URN + "S1", URN + "T1"])(block)
    assert nodes(block, "om:result")[1].content == (
        "2001-10-30T14:24:55Z,7.5000,11,2001-10-30T14:24:55Z\n2002-10-30T14:24:55Z,8.5000,12,2002-10-30T14:24:55Z"
    )
    theirs = pair.theirs(data_block())
    attributes("om:procedure", "xlink:href", [URN + "S1", URN + "S1"])(theirs)
    pair.write(mapfile(layer(ITEM), layer(ITEM, name="l2", source='DATA "other"')))
    attributes("sos:procedure", "xlink:href", [URN + name for name in ("S1", "S2", "S3", "T1", "T2")])(
        pair.ours(capabilities())
    )


def test_d_10_honours_disabled_layers(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS), layer({**IDS, "sos_enable_request": "!GetObservation"}, name="l2")))
    members(5)(pair.ours(observations()))
    members(10)(pair.theirs(observations()))
    pair.write(
        mapfile(layer({**ITEM, "sos_enable_request": "!DescribeSensor"}), layer({"sos_procedure": "S8"}, name="l2"))
    )
    exception("InvalidParameterValue", "procedure", "not found")(pair.ours(sensor(procedure=URN + "S1")))
    redirects_to("http://h/sensors/S1.xml")(pair.theirs(sensor(procedure=URN + "S1")))


def test_d_11_exceptions_are_200_unless_a_setting_says_otherwise(pair: Pair) -> None:
    pair.write(mapfile(layer()))
    answer = pair.ours(observations(offering="x"))
    assert answer.status == 200
    real = pair.ours(observations(offering="x"), MAPSOS_HTTP_STATUS="on")
    assert 400 <= real.status < 500
    exception("InvalidParameterValue", "offering")(real)
    assert pair.ours(observations(), MAPSOS_HTTP_STATUS="on").status == 200


def test_d_12_locations_are_addresses(pair: Pair) -> None:
    pair.write(
        mapfile(layer({"sos_procedure": "S1 a&b S/å", "sos_describesensor_url": "http://h/s?a=1&id=%procedure%"}))
    )
    answer = pair.ours(sensor(procedure=URN + "S1"))
    redirects_to("http://h/s?a=1&id=S1")(answer)
    assert answer.status == 302
    location = pair.ours(sensor(procedure=URN + "a&b")).headers["location"]
    assert location == "http://h/s?a=1&id=a%26b"
    assert pair.ours(sensor(procedure=URN + "S/å")).headers["location"].isascii()
    redirects_to("http://h/s?a=1&amp;id=S1")(pair.theirs(sensor(procedure=URN + "S1")))


def test_d_13_computes_missing_extents(pair: Pair) -> None:
    pair.write(mapfile(layer({"sos_offering_extent": None, "sos_offering_timeextent": None})))
    answer = pair.ours(capabilities())
    values("gml:lowerCorner", ["-75.000000 -20.000000"])(answer)
    values("gml:upperCorner", ["10.000000 48.250000"])(answer)
    begin, end = nodes(answer, "gml:beginPosition")[0].content, nodes(answer, "gml:endPosition")[0].content
    assert begin.startswith("2001-10-30T14:24:55")
    assert end.startswith("2005-12-31T23:59:59")
    theirs = pair.theirs(capabilities())
    assert not nodes(theirs, "gml:boundedBy")
    assert not nodes(theirs, "sos:time")


def test_d_14_honours_coordinate_systems_and_bbox(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS)))
    metres = (
        '<gml:Envelope srsName="EPSG:3857"><gml:lowerCorner>-8460281 5465442</gml:lowerCorner>'
        "<gml:upperCorner>-8237642 5942074</gml:upperCorner></gml:Envelope>"
    )
    ids(1, 2)(pair.ours(observations(featureOfInterest=metres)))
    members(0)(pair.theirs(observations(featureOfInterest=metres)))
    swapped = (
        '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>44 -76</gml:lowerCorner>'
        "<gml:upperCorner>47 -74</gml:upperCorner></gml:Envelope>"
    )
    ids(1, 2)(pair.ours(observations(featureOfInterest=swapped)))
    above = within_filter(compare("PropertyIsGreaterThan", "id", "1"))
    ids(2)(pair.ours(observations(result=above, bbox="-76,44,-74,47")))
    ids(2, 3, 4, 5)(pair.theirs(observations(result=above, bbox="-76,44,-74,47")))


@pytest.mark.parametrize("source", FIVE_SOURCES)
def test_d_14b_finds_rows_without_a_value(pair: Pair, source: str) -> None:
    pair.write(mapfile(layer({**IDS, "sos_VAL_alias": "val"}, source=FIVE_SOURCES[source])))
    null = within_filter("<ogc:PropertyIsNull><ogc:PropertyName>val</ogc:PropertyName></ogc:PropertyIsNull>")
    if source != "csv":  # an empty cell of a CSV file is an empty text
        ids(3)(pair.ours(observations(result=null)))
    members(0)(pair.theirs(observations(result=null)))
    less = within_filter(compare("PropertyIsLessThan", "val", "1"))
    ids(2, 4)(pair.ours(observations(result=less)))


def test_d_14c_limits_the_whole_answer(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS), layer(IDS, name="l2"), web={"sos_maxfeatures": "7"}))
    ids(1, 2, 3, 4, 5, 1, 2)(pair.ours(observations()))
    members(10)(pair.theirs(observations()))
    rows = [len(node.content.split("\n")) for node in nodes(pair.ours(data_block()), "om:result")]
    assert rows == [5, 2]
    assert [len(node.content.split("\n")) for node in nodes(pair.theirs(data_block()), "om:result")] == [5, 5]


def test_d_14d_feature_ids_need_an_item(pair: Pair) -> None:
    wanted = within_filter('<ogc:FeatureId fid="l1.2"/>')
    pair.write(mapfile(layer({**IDS, "sos_featureid": "ID"})))
    ids(2)(pair.ours(observations(result=wanted)))
    members(5)(pair.theirs(observations(result=wanted)))
    pair.write(mapfile(layer(IDS)))
    members(0)(pair.ours(observations(result=wanted)))


def test_d_15_one_answer_to_one_request(pair: Pair) -> None:
    pair.write(mapfile(layer({"sos_offering_timeextent": "2001/2002/2003"})))
    answer = pair.ours(data_block())
    exception("InvalidParameterValue", "sos_offering_timeextent")(answer)
    assert answer.answer.text.count("<?xml") == 1
    assert pair.theirs(data_block()).answer.text.count("<?xml") == 2


def test_d_15b_announces_no_field_that_is_not_there(pair: Pair) -> None:
    pair.write(mapfile(layer({**IDS, "sos_timeitem": "NOPE", "sos_TXT_alias": None, "sos_TISO_alias": None})))
    answer = pair.ours(data_block())
    attributes("swe:field", "name", ["id", "Value"])(answer)
    assert {row.count(",") for row in nodes(answer, "om:result")[0].content.split("\n")} == {1}
    attributes("swe:field", "name", ["time", "id", "Value"])(pair.theirs(data_block()))


def test_d_16_texts_are_texts(pair: Pair) -> None:
    pair.write(
        mapfile(
            layer(
                {
                    "sos_offering_name": "A & B",
                    "sos_offering_description": "AT&T;x <&copy;>",
                    "sos_offering_intendedapplication": "&#65; & more",
                }
            )
        )
    )
    answer = pair.ours(capabilities())
    values("gml:name", ["A & B"])(answer)
    values("gml:description", ["AT&T;x <&copy;>"])(answer)
    assert pair.theirs(capabilities()).trouble.startswith("ill-formed")
    values("gml:name", ["A & B"])(pair.ours(observations()))


def test_d_16b_escapes_once(pair: Pair) -> None:
    pair.write(mapfile(layer({"sos_procedure": None, "sos_procedure_item": "TXT", "sos_VAL_alias": None})))
    procedure = nodes(pair.ours(observations()), "om:procedure")[0].attributes["xlink:href"]
    assert procedure == URN + "café & <b> \"q\" 'a'"
    theirs = nodes(pair.theirs(observations()), "om:procedure")[0].attributes["xlink:href"]
    assert "&amp;" in theirs
    first = nodes(pair.ours(data_block()), "om:result")[0].content
    assert "café & <b> \"q\" 'a'" in first
    assert "&amp;" in nodes(pair.theirs(data_block()), "om:result")[0].content


def test_d_17_the_end_is_indeterminate(pair: Pair) -> None:
    pair.write(mapfile(layer({"sos_offering_timeextent": "2001-01-01"})))
    for query in (capabilities(), data_block()):
        attributes("gml:endPosition", "indeterminatePosition", ["now"])(pair.ours(query))
        attributes("gml:TimePeriod", "indeterminatePosition", ["now"])(pair.theirs(query))


def test_d_18_documents_are_well_formed_whatever_the_names(pair: Pair) -> None:
    names = {"sos_ID_alias": "my id", "sos_VAL_alias": "1val", "sos_TXT_alias": "t&x", "sos_TISO_alias": "a:b"}
    pair.write(mapfile(layer(names, name="my layer")))
    for query in (observations(), data_block(), capabilities()):
        assert pair.ours(query).trouble == ""
    members(5)(pair.ours(observations()))
    assert pair.theirs(observations()).trouble.startswith("ill-formed")
    # The ids of the phenomenon are repeated in om:Observation: the default keeps what clients know.
    pair.write(mapfile(layer({**ITEM})))
    attributes("swe:CompositePhenomenon", "gml:id", ["op", "op", "op"])(pair.ours(data_block()))


def test_d_18b_a_latin_1_mapfile_gives_utf_8(pair: Pair) -> None:
    pair.write(mapfile(layer({"sos_offering_name": "Größe"}), web={"sos_title": "Übersicht"}), encoding="latin-1")
    assert pair.theirs(capabilities()).trouble.startswith("ill-formed")
    answer = pair.ours(capabilities())
    answer.answer.body.decode("utf-8")
    values("ows:Title", ["Übersicht"])(answer)
    values("gml:name", ["Größe"])(answer)


def test_d_19_escapes_the_schema_location_once(pair: Pair) -> None:
    pair.write(mapfile(layer(), web={"ows_schemas_location": "http://s/?a=1&b=2"}))
    for query in (capabilities(), observations(), observations(offering="x")):
        [location] = [
            node.attributes["xsi:schemaLocation"]
            for node in document(pair.ours(query)).walk()
            if "xsi:schemaLocation" in node.attributes
        ]
        assert "http://s/?a=1&b=2/" in location
    theirs = pair.theirs(observations(offering="x")).tree
    assert theirs is not None
    assert "&amp;" in theirs.children[0].attributes["xsi:schemaLocation"]


def test_d_20_describes_observation_types_by_post(pair: Pair) -> None:
    pair.write(mapfile(layer()))
    body = (
        b'<DescribeObservationType xmlns="http://www.opengis.net/sos/1.0" service="SOS" version="1.0.0">'
        b"<observedProperty>op</observedProperty></DescribeObservationType>"
    )
    assert pair.ours("", body).headers == pair.ours(observation_type(observedProperty="op")).headers
    assert "typename=l1" in pair.ours("", body).headers["location"]
    exception("MissingParameterValue", "observedproperty")(pair.theirs("", body))


def test_d_21_repeated_elements_all_count(pair: Pair) -> None:
    pair.write(mapfile(layer({**ITEM, **IDS}), layer({**IDS, "sos_observedproperty_id": "op2"}, name="l2")))
    ids(1, 2, 5)(pair.ours("", post_observations("<procedure>S1</procedure><procedure>S3</procedure>")))
    ids(1, 2)(pair.theirs("", post_observations("<procedure>S1</procedure><procedure>S3</procedure>")))
    two = post_observations(observedProperty="op</observedProperty><observedProperty>op2")
    members(10)(pair.ours("", two))
    members(5)(pair.theirs("", two))
    times = "".join(
        f"<eventTime><ogc:TM_During><ogc:PropertyName/>{found}</ogc:TM_During></eventTime>"
        for found in (HOUR, period("2003-06-01", "2003-07-01"))
    )
    ids(1, 4)(pair.ours("", post_observations(times)))
    ids(1)(pair.theirs("", post_observations(times)))


def test_d_22_results_may_be_filters(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS)))
    inner = compare("PropertyIsEqualTo", "id", "2")
    ids(2)(pair.ours("", post_observations(f"<result>{inner}</result>")))
    ids(2)(pair.ours("", post_observations(f"<result><ogc:Filter>{inner}</ogc:Filter></result>")))
    exception("InvalidParameterValue", "result")(
        pair.theirs("", post_observations(f"<result><ogc:Filter>{inner}</ogc:Filter></result>"))
    )


def test_d_23_negotiates_versions_of_bodies(pair: Pair) -> None:
    pair.write(mapfile(layer()))

    def ask(*versions: str) -> bytes:
        listed = "".join(f"<ows:Version>{version}</ows:Version>" for version in versions)
        return (
            '<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"'
            f' service="SOS"><ows:AcceptVersions>{listed}</ows:AcceptVersions></GetCapabilities>'
        ).encode()

    exception("VersionNegotiationFailed", "acceptversions")(pair.ours("", ask("7.0.0")))
    assert nodes(pair.ours("", ask("7.0.0", "1.0.0")), "sos:Capabilities")
    assert nodes(pair.theirs("", ask("7.0.0")), "sos:Capabilities")


def test_d_24_sos_bodies_get_ows_answers(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS)))
    whole = post_observations()
    bare = whole.replace(b' service="SOS"', b"")
    members(5)(pair.ours("", bare))
    for body in (whole[:-30], b"", b"<<<", b"\x00\x01"):
        case = pair.case("", body or b" ")
        assert nodes(pair.ours("", case.body), "ows:ExceptionReport")
    assert nodes(pair.ours("service=XYZ&request=GetCapabilities"), "ows:ExceptionReport")
    text("Traditional BROWSE mode")(pair.theirs("", bare))


def test_d_25_shows_the_feature_of_interest(pair: Pair) -> None:
    pair.write(mapfile(layer()))
    query = observations(featureOfInterest="<somewhere/>", eventTime=HOUR)
    exception("InvalidParameterValue", "featureofinterest", "<somewhere/>")(pair.ours(query))
    exception("InvalidParameterValue", "featureofinterest", HOUR)(pair.theirs(query))


def test_d_26_documented_forms_work(pair: Pair) -> None:
    spelled = {key.replace("sos_", "ows_", 1): value for key, value in LAYER.items()}
    pair.write(mapfile(layer(spelled, base={}), web={"sos_enable_request": None, "ows_enable_request": "*"}))
    members(5)(pair.ours(observations(responseFormat="text/xml; subtype=om/1.0.0")))
    values("ms:Value", ["89.900000000000006", "0.300000000000000"])(
        pair.ours(observations(eventTime=period("2001-10-30", "2001-10-31")))
    )
    redirects_to("http://h/sensors/S1.xml")(
        pair.ours(sensor(outputFormat=SENSORML.replace('"', ""), procedure=URN + "S1"))
    )
    exception("InvalidParameterValue", "offering")(pair.theirs(observations()))


def test_d_27_comments_stand_beside_what_they_speak_of(pair: Pair) -> None:
    bare = without(key for key in LAYER if key.startswith("sos_offering_") and key != "sos_offering_id")
    pair.write(mapfile(layer(bare), layer({**bare, "sos_offering_id": "off2"}, name="l2")))
    for offering in nodes(pair.ours(capabilities()), "sos:ObservationOffering"):
        comments = [child.text for child in offering.children if child.name == "#comment"]
        assert [comment.split('"')[1] for comment in comments] == [
            "sos_offering_description",
            "sos_offering_name",
            "sos_offering_intendedapplication",
        ]
    first = nodes(pair.theirs(capabilities()), "sos:ObservationOffering")[0]
    assert first.children[0].name != "#comment"


def test_d_28_result_models_with_and_without_prefix(pair: Pair) -> None:
    pair.write(mapfile(layer()))
    for name in ("Observation", "Measurement"):
        short, long = pair.ours(observations(resultModel=name)), pair.ours(observations(resultModel=f"om:{name}"))
        assert not differences(short, long)
        assert nodes(short, "om:member")
        exception("InvalidParameterValue", "resultModel")(pair.theirs(observations(resultModel=name)))


def test_d_29_om_observation_keeps_its_shape(pair: Pair) -> None:
    pair.write(mapfile(layer({**IDS, "sos_TXT_alias": None})))
    ours, theirs = pair.ours(data_block()), pair.theirs(data_block())
    assert not nodes(ours, "om:featureOfInterest")
    forget_false_zeros(ours, theirs)
    assert not differences(ours, theirs)


def test_d_30_rings_and_parts_are_complete(pair: Pair) -> None:
    meta = {"sos_timeitem": None, "sos_ID_alias": "id", "sos_offering_timeextent": None}
    pair.write(mapfile(layer(meta, source='DATA "polygons"', type="POLYGON")))
    ours, theirs = pair.ours(observations()), pair.theirs(observations())
    assert len(nodes(ours, "gml:innerBoundaryIs")) == 1
    assert not nodes(theirs, "gml:innerBoundaryIs")
    assert len(nodes(ours, "gml:outerBoundaryIs")) == len(nodes(theirs, "gml:outerBoundaryIs")) == 4
    assert [node.space for node in document(ours).walk() if node.name == "msGeometry"] == ["", "", ""]


def test_d_31_recognises_projections_by_authority_and_code(pair: Pair) -> None:
    pair.write(mapfile(layer(projection='"epsg:4326"'), projection='"epsg:4326"'))
    attributes("gml:Envelope", "srsName", ["urn:ogc:crs:epsg:4326"])(pair.ours(capabilities()))
    attributes("gml:Point", "srsName", ["urn:ogc:crs:epsg:4326"] * 5)(pair.ours(observations()))
    attributes("gml:Envelope", "srsName", [])(pair.theirs(capabilities()))


@pytest.mark.parametrize("source", FIVE_SOURCES)
def test_d_32_refuses_text_after_a_time(pair: Pair, source: str) -> None:
    pair.write(mapfile(layer(IDS, source=FIVE_SOURCES[source])))
    for begin in ("2001-10-30T14:24:55Z` or 1=1 or `[t]` = `2001", "2001-10-30`", "2001-10-30'", "2001x"):
        exception("InvalidParameterValue", "eventtime")(pair.ours(observations(eventTime=period(begin, "2001"))))


def test_d_32_mapserv_evaluates_what_it_is_sent(pair: Pair) -> None:
    pair.write(mapfile(layer({**TWELVE, "sos_offering_timeextent": None}, source='DATA "twelve"')))
    attack = period("2001-10-30T14:24:55Z` or 1=1 or `[T]` = `2001", "2001")
    found = len(nodes(pair.theirs(observations(eventTime=attack)), "om:member"))
    exception("InvalidParameterValue", "eventtime")(pair.ours(observations(eventTime=attack)))
    assert found == 10  # every row whose time MapServer can read, though the period names one second


def test_d_32b_patterns_are_never_sql(pair: Pair) -> None:
    pair.write(mapfile(layer(IDS, source=FIVE_SOURCES["gpkg"])))
    pattern = ' wildCard="*" singleChar="?" escapeChar="!"'
    attack = within_filter(compare("PropertyIsLike", "STN", "S1' or '1'='1", pattern))
    members(0)(pair.ours(observations(result=attack)))
    members(5 if mapserv_version() < (8, 4) else 0)(pair.theirs(observations(result=attack)))


def test_d_33_reports_unreachable_data(pair: Pair) -> None:
    for source in ('DATA "nowhere"', 'CONNECTIONTYPE OGR CONNECTION "broken.gpkg" DATA "five"'):
        pair.write(mapfile(layer(IDS, source=source)))
        for query in (observations(), data_block()):
            answer = pair.ours(query)
            [found] = nodes(answer, "ows:Exception")
            assert found.attributes["exceptionCode"] == "NoApplicableCode"
            assert str(pair.data) not in answer.answer.text
        members(0)(pair.theirs(observations()))


def test_d_34_distinct_procedures_do_not_read_row_by_row(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple((f"POINT ({n % 90} {n % 80})", n, f"S{n % 7}") for n in range(20_000))
    columns = (Column("ID", "Integer", 6), Column("STN", "String", 10))
    write_table(pair.data / "many.fgb", "many", Table(columns, rows))
    pair.write(
        mapfile(
            layer(
                {**ITEM, "sos_timeitem": None},
                source='CONNECTIONTYPE OGR CONNECTION "many.fgb" DATA "many"',
            )
        )
    )
    hrefs = [URN + f"S{n}" for n in range(7)]
    passes, singles = count_calls(monkeypatch, "GetArrowStream"), count_calls(monkeypatch, "GetNextFeature")
    attributes("sos:procedure", "xlink:href", hrefs)(pair.ours(capabilities()))
    # Whether there is a row at all may be asked of one.
    assert (len(passes), len(singles) < 3) == (1, True)
    attributes("sos:procedure", "xlink:href", hrefs)(pair.ours(capabilities()))
    assert (len(passes), len(singles) < 3) == (1, True)
    attributes("sos:procedure", "xlink:href", hrefs)(pair.theirs(capabilities()))


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[None]:
    """A list that grows with each call of a method of OGR's layers in this process."""
    calls: list[None] = []
    original = getattr(ogr.Layer, name)

    def count(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return original(*arguments, **named)

    monkeypatch.setattr(ogr.Layer, name, count)
    return calls


@pytest.mark.parametrize("source", ["shp", "gpkg", "geojson", "fgb", "sqlite", "csv"])
@pytest.mark.parametrize(
    ("pattern", "expected"), [("a.*", ["a.b"]), ("a!*b", ["a*b"]), ("a?b", ["a*b", "a\\b", "a.b", "axb"])]
)
def test_d_35_patterns_mean_the_same_everywhere(pair: Pair, source: str, pattern: str, expected: list[str]) -> None:
    where = {
        "shp": 'DATA "numbers"',
        "csv": 'CONNECTIONTYPE OGR CONNECTION "numbers.vrt" DATA "numbers"',
    }.get(source, f'CONNECTIONTYPE OGR CONNECTION "numbers.{source}" DATA "numbers"')
    pair.write(mapfile(layer({"sos_timeitem": None, "sos_S_alias": "s"}, source=where)))
    signs = ' wildCard="*" singleChar="?" escapeChar="!"'
    answer = pair.ours(observations(result=within_filter(compare("PropertyIsLike", "s", pattern, signs))))
    values("ms:s", expected)(answer)


def test_every_defect_has_a_test() -> None:
    written = {"D-" + name.split("_")[2] for name in globals() if name.startswith("test_d_")}
    assert written == {name for name in DIFFERENCES if name.startswith("D-")}
