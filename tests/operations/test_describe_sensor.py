"""DescribeSensor where mapsos writes SensorML itself, fills in a template, or serves a file beside the map."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree
from owslib.swe.sensor.sml import SensorML

from mapsos.check.mapfile_text import find_in_mapfile
from mapsos.mapfile.keys import metadata_key
from mapsos.mapfile.model import SENSOR_TEXTS
from mapsos.mapfile.reader import parse_map
from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.layer import Layer
from tests.support.ogc_schemas import complain, needs_schemas

from .conftest import LAYER, ROWS, WEB, World, layer_text, read_xml, refusal, write_stations

SENSOR = "service=SOS&version=1.0.0&request=DescribeSensor&outputFormat=text/xml;subtype=sensorML/1.0.1&procedure="
NS = {
    "sml": "http://www.opengis.net/sensorML/1.0.1",
    "swe": "http://www.opengis.net/swe/1.0.1",
    "gml": "http://www.opengis.net/gml",
    "xlink": "http://www.w3.org/1999/xlink",
}
PLAIN = LAYER.split('"sos_describesensor_url"')[0]
CONTACT = (
    ' "sos_contactorganization" "Office & Co" "sos_contactperson" "Jo" "sos_contactelectronicmailaddress" "a@b"'
    ' "sos_keywordlist" "rain, snow" "sos_service_onlineresource" "http://office/?a&b"'
)


@pytest.fixture
def plain(world: World) -> World:
    """The world without a URL for sensors: SensorML is generated."""
    world.write_map(layer_text(metadata=PLAIN), web=WEB + CONTACT)
    return world


def describe(world: World, procedure: str, query: str = SENSOR) -> etree._Element:
    response = world.send(query + procedure)
    assert dict(response.headers)["Content-Type"].startswith("text/xml")
    return read_xml(response)


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path, NS)]


def coordinates(element: etree._Element) -> dict[str, str]:
    return {
        str(one.get("name")): str(one.findtext("swe:Quantity/swe:value", "", NS))
        for one in element.iterfind(".//swe:coordinate", NS)
    }


def test_owslib_reads_it(plain: World) -> None:
    document = SensorML(etree.tostring(describe(plain, "urn:ogc:def:procedure:a")))
    (sensor,) = document.members
    assert {name: term.value for name, term in sensor.identifiers.items()} == {
        "uniqueID": "urn:ogc:def:procedure:A",
        "longName": "A",
        "shortName": "A",
    }
    (contact,) = sensor.contacts.values()
    assert (contact.organization, contact.email, contact.url) == ("Office & Co", "a@b", "http://office/?a&b")
    assert sensor.keywords == ["rain", "snow"]
    (link,) = sensor.documentation
    assert link.documents[0].url.startswith("http://h/cgi?service=SOS&version=1.0.0&request=GetObservation&")
    assert list(sensor.capabilities) == ["observations"]
    assert len(sensor.positions) == 1
    # It looks for outputs where no valid document has them; docs/operations.md says where they are.
    assert sensor.outputs == []
    outputs = document._root.iterfind(".//{http://www.opengis.net/sensorML/1.0.1}output")
    assert [output.get("name") for output in outputs] == ["time", "value"]


def test_facts_are_those_of_the_sensor(plain: World) -> None:
    root = describe(plain, "A")
    fields = {str(field.get("name")): field for field in root.iterfind(".//sml:capabilities/*/swe:field", NS)}
    assert fields["numberOfObservations"].findtext(".//swe:value", None, NS) == "2"
    assert fields["observedPeriod"].findtext(".//swe:value", None, NS) == "2001-01-01T00:00:00Z 2001-01-02T00:00:00Z"
    position = root.find(".//swe:Position", NS)
    assert position.get("referenceFrame") == "urn:ogc:def:crs:EPSG::4326"
    assert list(coordinates(position).items()) == [("latitude", "50"), ("longitude", "10")]
    assert texts(root, ".//gml:TimePeriod/*") == ["2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z"]


def test_outputs_have_definition_unit_and_type(world: World) -> None:
    more = ' "sos_stn_alias" "station" "sos_stn_definition" "urn:x:station" "sos_v_definition" "urn:x:v"'
    world.write_map(layer_text(metadata=PLAIN + more))
    root = describe(world, "A")
    outputs = {
        str(output.get("name")): (etree.QName(output[0]).localname, output[0].get("definition"))
        for output in root.iterfind(".//sml:output", NS)
    }
    assert outputs == {
        "time": ("Time", "urn:ogc:phenomenon:time:iso8601"),
        "station": ("Category", "urn:x:station"),
        "value": ("Quantity", "urn:x:v"),
    }
    assert root.find(".//swe:Quantity[@definition='urn:x:v']/swe:uom", NS).get("code") == "m"
    assert [one.get("definition") for one in root.iterfind(".//swe:ObservableProperty", NS)] == ["op"]


def test_a_sensor_that_moves_has_an_area_and_no_position(plain: World) -> None:
    write_stations(plain.folder / "obs.gpkg", [ROWS[0], ("A", "2001-01-05T00:00:00Z", 1.0, 20.0, 60.0)])
    root = describe(plain, "A")
    assert root.find(".//sml:position", NS) is None
    corners = [coordinates(root.find(f".//swe:{corner}Corner", NS)) for corner in ("lower", "upper")]
    assert corners == [{"latitude": "50", "longitude": "10"}, {"latitude": "60", "longitude": "20"}]


def test_axes_are_in_the_order_of_the_crs(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", [("A", ROWS[0][1], 1.0, 500000.0, 5000000.0)], epsg=32633)
    world.write_map(layer_text(metadata=PLAIN, epsg=32633))
    position = describe(world, "A").find(".//swe:Position", NS)
    assert position.get("referenceFrame") == "urn:ogc:def:crs:EPSG::32633"
    assert list(coordinates(position).items()) == [("easting", "500000"), ("northing", "5000000")]
    assert {unit.get("code") for unit in position.iterfind(".//swe:uom", NS)} == {"m"}


def test_all_layers_of_a_sensor_count(world: World) -> None:
    write_stations(world.folder / "more.gpkg", [("A", "2003-01-01T00:00:00Z", 1.0, 10.0, 50.0)])
    other = PLAIN.replace('"op"', '"rain"').replace('"value"', '"depth"').replace('"off"', '"off2"')
    world.write_map(layer_text(metadata=PLAIN), layer_text("l2", "more.gpkg", other))
    root = describe(world, "A")
    assert texts(root, ".//swe:Count/swe:value") == ["3"]
    assert [str(one.get("name")) for one in root.iterfind(".//sml:output", NS)] == ["time", "value", "depth"]
    assert [str(one.get("name")) for one in root.iterfind(".//sml:input", NS)] == ["op", "rain"]
    assert len(root.findall(".//sml:documentation", NS)) == 2


def test_metadata_and_columns_say_what_a_sensor_is(world: World) -> None:
    said = (
        ' "sos_sensor_name" "Everybody" "sos_sensor_name_item" "STN" "sos_sensor_shortname" "short & <"'
        ' "sos_sensor_description" "It measures" "sos_sensor_keywords" "a, b" "sos_sensor_classification" "gauge"'
        ' "sos_sensor_intendedapplication" "floods" "sos_sensor_validtime" "1999/"'
    )
    world.write_map(layer_text(metadata=PLAIN + said))
    root = describe(world, "B")
    terms = [term.findtext("sml:value", None, NS) for term in root.iterfind(".//sml:Term", NS)]
    assert terms == ["urn:ogc:def:procedure:B", "B", "short & <", "gauge", "floods"]
    assert texts(root, ".//sml:keyword") == ["a", "b"]
    assert texts(root, ".//sml:System/gml:description") == ["It measures"]
    assert texts(root, ".//gml:beginPosition") == ["1999-01-01T00:00:00Z"]
    assert root.find(".//gml:endPosition", NS).get("indeterminatePosition") == "now"


def test_every_text_has_its_keys() -> None:
    for name in SENSOR_TEXTS:
        for key in (f"sensor_{name}", f"sensor_{name}_item"):
            assert metadata_key("layer", key).namespaces == ("sos", "ows")


def test_the_data_are_asked_once_for_all_sensors(plain: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    question = Layer.group_facts
    monkeypatch.setattr(Layer, "group_facts", lambda *given: asked.append(given[1]) or question(*given))
    for procedure in ("A", "B", "C", "A"):
        describe(plain, procedure)
    assert asked == ["stn"]
    forget_facts()
    describe(plain, "A")
    assert asked == ["stn", "stn"]


@needs_schemas
def test_both_versions_are_valid(world: World, tmp_path: Path) -> None:
    odd = ' "sos_v_uom" "urn:x:u b" "sos_procedure" "x&<>\' S/å 1" "sos_sensor_name" "n&<>" "sos_t_alias" "a b"'
    without_unit = PLAIN.replace(' "sos_v_uom" "m"', "").replace('"sos_procedure_item" "stn"', "")
    maps = {
        "item": layer_text(metadata=PLAIN),
        "bare": layer_text(metadata='"sos_offering_id" "off" "sos_procedure" "A"'),
        "odd": layer_text(metadata=without_unit + odd),
        "metres": layer_text(metadata=PLAIN, epsg=3857),
    }
    documents = {}
    for name, layer in maps.items():
        world.write_map(layer, web=WEB + (CONTACT if name == "item" else ""))
        procedure = "S/%C3%A5" if name == "odd" else "A"
        for version in ("1.0.0", "1.0.1"):
            root = describe(world, procedure, SENSOR.replace("1.0.1", version))
            assert root.get("version") == version.replace("1.0.0", "1.0")
            documents[f"{name}-{version}"] = etree.tostring(root)
    assert complain(tmp_path, documents) == []


def test_generate_comes_before_a_url(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER + ' "sos_describesensor" "Generate"'))
    assert etree.QName(describe(world, "A")).localname == "SensorML"
    world.write_map(layer_text(metadata=LAYER + ' "sos_describesensor" "guess"'))
    assert refusal(read_xml(world.send(SENSOR + "A")))[:2] == ("NoApplicableCode", "sos_describesensor")


def write_file(world: World, name: str, text: str) -> Path:
    path = world.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_beside_the_map_is_served(world: World) -> None:
    data = write_file(world, "sensors/A.xml", "<?xml version='1.0'?>\n<a>é</a>\n").read_bytes()
    world.write_map(layer_text(metadata=PLAIN + ' "sos_describesensor_url" "sensors/%procedure%.xml"'))
    response = world.send(SENSOR + "a")
    assert (response.status, b"".join(response.body)) == (200, data)
    # Sensor B has no file.
    assert dict(world.send(SENSOR + "B").headers) == {"Location": "sensors/B.xml"}


@pytest.mark.parametrize("case", ["parent", "absolute", "link", "linked folder", "the map", "id"])
def test_what_does_not_lie_beside_the_map_is_not_served(world: World, case: str) -> None:
    outside = world.folder.parent / f"{world.folder.name}-outside"
    outside.mkdir()
    (outside / "A.xml").write_text("<secret/>")
    url = "sensors/%procedure%.xml"
    (world.folder / "sensors").mkdir()
    if case == "parent":
        url = f"../{outside.name}/%procedure%.xml"
    elif case == "absolute":
        url = f"{outside}/%procedure%.xml"
    elif case == "link":
        (world.folder / "sensors" / "A.xml").symlink_to(outside / "A.xml")
    elif case == "linked folder":
        (world.folder / "sensors").rmdir()
        (world.folder / "sensors").symlink_to(outside)
    elif case == "the map":
        url = "service.map"
    else:
        write_stations(world.folder / "obs.gpkg", [(f"../../{outside.name}/A", *ROWS[0][1:])])
    world.write_map(layer_text(metadata=PLAIN + f' "sos_describesensor_url" "{url}"'))
    response = world.send(SENSOR + (f"../../{outside.name}/A" if case == "id" else "A"))
    assert (response.status, b"".join(response.body)) == (302, b"")


TEMPLATE = "<s id='${procedure}' n='${name}'><at srs='${srs}'>${position}</at><c>${observations}</c>$5 ${begin}</s>"


def use_template(world: World, where: str, more: str = "") -> None:
    said = PLAIN + f' "sos_sensorml_template" "{where}" "sos_sensor_name" "a & <b> \'{{0}}\'"' + more
    world.write_map(layer_text(metadata=said))


def test_a_template_is_filled_in_once(world: World) -> None:
    write_file(world, "sensor.xml", TEMPLATE)
    use_template(world, "sensor.xml")
    root = describe(world, "A")
    assert dict(root.attrib) == {"id": "A", "n": "a & <b> '{0}'"}
    assert [element.text for element in root] == ["50 10", "2"]
    assert root[0].get("srs") == "urn:ogc:def:crs:EPSG::4326"
    assert root[-1].tail == "$5 2001-01-01T00:00:00Z"


def test_a_value_is_never_taken_for_a_variable(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", [("${name}", *ROWS[0][1:])])
    write_file(world, "sensor.xml", TEMPLATE)
    use_template(world, "sensor.xml")
    assert describe(world, "$%7Bname%7D").get("id") == "${name}"


def test_a_folder_has_a_template_for_each_sensor(world: World) -> None:
    write_file(world, "sensors/A.xml", "<one>${procedure}</one>")
    use_template(world, "sensors")
    assert describe(world, "A").text == "A"
    assert etree.QName(describe(world, "B")).localname == "SensorML"
    write_file(world, "sensors/default.xml", "<other>${procedure}</other>")
    assert (describe(world, "A").tag, describe(world, "B").tag) == ("one", "other")


@pytest.mark.parametrize(
    ("template", "where", "text"),
    [
        ("<a>${nobody}</a>", "sensor.xml", "names unknown variables: nobody. There are: procedure, urn,"),
        ("<a>${name}", "sensor.xml", "does not give well-formed XML"),
        (None, "missing.xml", "cannot be read"),
        (None, "../sensor.xml", "cannot be read"),
    ],
)
def test_a_template_that_cannot_be_used_is_reported(world: World, template: str | None, where: str, text: str) -> None:
    if template is not None:
        write_file(world, where, template)
    use_template(world, where)
    code, locator, message = refusal(read_xml(world.send(SENSOR + "A")))
    assert (code, locator) == ("NoApplicableCode", "sos_sensorml_template")
    assert text in message
    assert str(world.folder) not in message


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ('"sos_describesensor" "guess"', "sos_describesensor"),
        ('"sos_describesensor" "redirect"', "sos_describesensor"),
        ('"sos_sensor_validtime" "soon"', "sos_sensor_validtime"),
    ],
)
def test_the_check_finds_what_is_wrong(world: World, said: str, key: str) -> None:
    world.write_map(layer_text(metadata=f"{PLAIN} {said}"))
    found = find_in_mapfile(parse_map(str(world.folder / "service.map")))
    assert key in {finding.key for finding in found if finding.level == "error"}


def test_the_documentation_has_every_variable(world: World) -> None:
    write_file(world, "sensor.xml", "<a>${x y}</a>")
    use_template(world, "sensor.xml")
    message = refusal(read_xml(world.send(SENSOR + "A")))[2]
    documented = set(re.findall(r"`\$\{(\w+)\}`", (Path(__file__).parents[2] / "docs" / "operations.md").read_text()))
    assert set(message.partition("There are: ")[2].rstrip(".").split(", ")) == documented
