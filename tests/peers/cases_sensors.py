"""DescribeSensor and DescribeObservationType (docs/mapserver-sos.md, "DescribeSensor")."""

from __future__ import annotations

from .cases import Case, Expectation, kvp, observation_type, sensor
from .expectations import attributes, exception, redirects_to, values
from .mapfiles import BOTH, FIVE_SOURCES, ITEM, layer, mapfile

URN = "urn:ogc:def:procedure:"

MAPS: dict[str, str] = {
    "sensor_params": mapfile(layer({"sos_describesensor_url": "http://h/s?a=1&id=%procedure%&again=%PROCEDURE%"})),
    "sensor_constant": mapfile(layer({"sos_describesensor_url": "http://h/s.xml"})),
    "sensor_two": mapfile(
        layer(),
        layer({"sos_procedure": "S3 S4", "sos_describesensor_url": "http://two/%procedure%"}, name="l2"),
        layer(
            {**ITEM, "sos_describesensor_url": "http://three/%procedure%", "sos_timeitem": None},
            name="l3",
            source='DATA "other"',
        ),
    ),
    "sensor_item_unknown": mapfile(layer({"sos_procedure": None, "sos_procedure_item": "NOPE"})),
    "sensor_odd": mapfile(
        layer({"sos_procedure": "a/b urn:x:S#1 åå", "sos_describesensor_url": "http://h/%procedure%"})
    ),
    "sensor_disabled": mapfile(
        layer({"sos_enable_request": "!DescribeSensor"}), layer({"sos_procedure": "S8"}, name="l2")
    ),
    "sensor_item_disabled": mapfile(
        layer({**ITEM, "sos_enable_request": "!DescribeSensor"}), layer({"sos_procedure": "S8"}, name="l2")
    ),
    "sensor_both_text": mapfile(layer({**BOTH, "sos_procedure": "S1"})),
    "sensor_types": mapfile(
        layer(),
        layer({"sos_offering_id": "off2"}, name="l2"),
        layer({"sos_observedproperty_id": "op3"}, name="layer three"),
        layer({"sos_observedproperty_id": "op", "sos_enable_request": "!*"}, name="l4"),
    ),
}


def ask(
    id: str, map: str, procedure: str, *differs: str, expects: tuple[Expectation, ...] = (), **more: str | None
) -> Case:
    return Case(id, map, sensor(procedure=procedure, **more), differs=differs, expects=expects)


CASES: list[Case] = [
    *(ask(f"sensor-{name}", name, URN + "S2") for name in FIVE_SOURCES),
    *(ask(f"sensor-item-{name}", f"item_{name}", URN + "S2") for name in FIVE_SOURCES),
    ask("sensor-both", "both_gpkg", URN + "S3"),
    ask("sensor-lower", "shp", (URN + "S2").lower()),
    ask("sensor-item-lower", "item_shp", (URN + "S2").lower()),
    ask("sensor-format-upper", "shp", URN + "S2", outputFormat='TEXT/XML; SUBTYPE="sensorml/1.0.0"'),
    ask(
        "sensor-format-unquoted",
        "shp",
        URN + "S2",
        "D-26",
        outputFormat="text/xml; subtype=sensorML/1.0.0",
        expects=(redirects_to("http://h/sensors/S2.xml"),),
    ),
    ask("sensor-bare", "shp", "S2", "D-08", expects=(redirects_to("http://h/sensors/S2.xml"),)),
    ask("sensor-params", "sensor_params", URN + "S2", "D-12"),
    ask("sensor-constant", "sensor_constant", URN + "S2"),
    ask("sensor-two-first", "sensor_two", URN + "S3"),
    ask("sensor-two-second", "sensor_two", URN + "S4"),
    ask("sensor-two-third", "sensor_two", URN + "T2"),
    ask("sensor-item-unknown", "sensor_item_unknown", URN + "S1"),
    ask("sensor-odd-slash", "sensor_odd", URN + "a/b", "D-12"),
    ask("sensor-disabled", "sensor_disabled", URN + "S1"),
    ask("sensor-disabled-other", "sensor_disabled", URN + "S8"),
    ask(
        "sensor-item-disabled",
        "sensor_item_disabled",
        URN + "S1",
        "D-10",
        expects=(exception("InvalidParameterValue", "procedure", "not found"),),
    ),
    ask("sensor-not-in-list", "sensor_both_text", URN + "S2"),
    Case("type", "shp", observation_type(observedProperty="op")),
    Case("type-upper", "shp", observation_type(observedProperty="OP")),
    Case("type-last", "sensor_types", observation_type(observedProperty="op")),
    Case("type-space", "sensor_types", observation_type(observedProperty="op3"), differs=("D-12",)),
    Case("type-resource", "meas_resource_params", observation_type(observedProperty="op")),
    Case(
        "type-schema",
        "shp",
        kvp(service="WFS", version="1.1.0", request="DescribeFeatureType", typename="l1"),
        differs=("B-27",),
        expects=(attributes("xsd:complexType", "name", ["l1Type"]),),
    ),
    Case(
        "feature-of-station",
        "shp",
        kvp(service="SOS", version="1.0.0", request="GetFeatureOfInterest", FeatureOfInterestId="S1"),
        differs=("B-33",),
        expects=(values("gml:name", ["S1"]),),
    ),
]
