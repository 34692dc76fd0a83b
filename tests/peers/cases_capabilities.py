"""GetCapabilities: metadata, comments, offerings, procedures, phenomena (docs/mapserver-sos.md, "GetCapabilities")."""

from __future__ import annotations

from collections.abc import Mapping

from .cases import Case, Expectation, capabilities, kvp
from .expectations import attributes, values
from .mapfiles import FIVE_SOURCES, ITEM, LAYER, layer, mapfile, without

TEXT_KEYS = (
    "title",
    "abstract",
    "keywordlist",
    "fees",
    "accessconstraints",
    "contactorganization",
    "service_onlineresource",
    "contactperson",
    "contactposition",
    "contactvoicetelephone",
    "contactfacsimiletelephone",
    "address",
    "city",
    "stateorprovince",
    "postcode",
    "country",
    "contactelectronicmailaddress",
    "hoursofservice",
    "contactinstructions",
    "role",
)

EVERY_SOS = {f"sos_{key}": f"{key} <&> 'of' %s" for key in TEXT_KEYS}
EVERY_OWS = {"sos_title": None} | {f"ows_{key}": f"ows {key}" for key in TEXT_KEYS}
EMPTY_TEXTS = {f"sos_{key}": "" for key in TEXT_KEYS}

BARE_LAYER = {
    **without(key for key in LAYER if key.startswith("sos_offering_") and key != "sos_offering_id"),
    "sos_timeitem": None,
}


def with_web(changes: Mapping[str, str | None], *layers: str) -> str:
    return mapfile(*(layers or (layer(),)), web=changes)


MAPS: dict[str, str] = {
    "caps_every_sos": with_web(EVERY_SOS),
    "caps_every_ows": with_web(EVERY_OWS),
    "caps_both_prefixes": with_web({**EVERY_SOS, **{f"ows_{key}": "never" for key in TEXT_KEYS}}),
    "caps_empty_texts": with_web(EMPTY_TEXTS),
    "caps_upper_keys": with_web({key.upper(): value for key, value in EVERY_SOS.items()} | {"sos_title": None}),
    **{
        f"caps_without_{key}": with_web(
            {f"sos_{other}": f"a {other}" for other in TEXT_KEYS if other != key}
            | ({"sos_title": None} if key == "title" else {})
        )
        for key in TEXT_KEYS
    },
    "caps_keywords_odd": with_web({"sos_keywordlist": "one, two ,,three,"}),
    "caps_keywords_lead": with_web({"sos_keywordlist": ",one"}),
    "caps_keywords_one": with_web({"sos_keywordlist": "only one"}),
    "caps_keywords_spaces": with_web({"sos_keywordlist": " , ,a b, "}),
    "caps_schemas": with_web({"ows_schemas_location": "http://schemas.test/root"}),
    "caps_schemas_sos": with_web({"sos_schemas_location": "http://schemas.test/root"}),
    "caps_schemas_markup": with_web({"ows_schemas_location": "http://schemas.test/?a=1&b=2"}),
    "caps_update": with_web({"sos_updatesequence": "2007-10-30"}),
    "caps_update_markup": with_web({"sos_updatesequence": "a<b&'c"}),
    "caps_update_ows": with_web({"ows_updatesequence": "17"}),
    "caps_max": with_web({"sos_maxfeatures": "100"}),
    "caps_max_list": with_web({"ows_maxfeatures": "100,200"}),
    "caps_max_text": with_web({"sos_maxfeatures": "many"}),
    "caps_no_srs": with_web({"sos_srs": None}),
    "caps_ows_srs": with_web({"sos_srs": None, "ows_srs": "EPSG:4326"}),
    "caps_srs_spaces": with_web({"sos_srs": " EPSG:4326  EPSG:3857 "}),
    "caps_srs_empty": with_web({"sos_srs": ""}),
    "caps_no_layer": mapfile(),
    "caps_no_offering": mapfile(layer({"sos_offering_id": None}), layer(name="l2")),
    "caps_bare": mapfile(layer(BARE_LAYER)),
    "caps_no_srs_bare": mapfile(layer(BARE_LAYER), web={"sos_srs": None}),
    "caps_name_only": mapfile(layer({**BARE_LAYER, "sos_offering_name": "N"})),
    "caps_description_only": mapfile(layer({**BARE_LAYER, "sos_offering_description": "D"})),
    "caps_application_only": mapfile(layer({**BARE_LAYER, "sos_offering_intendedapplication": "A"})),
    "caps_no_name": mapfile(layer({"sos_offering_name": None})),
    "caps_no_application": mapfile(layer({"sos_offering_intendedapplication": None})),
    "caps_second_bare": mapfile(layer(), layer({**BARE_LAYER, "sos_offering_id": "off2"}, name="l2")),
    "caps_three_offerings": mapfile(
        layer({"sos_offering_id": "b"}),
        layer({"sos_offering_id": "A"}, name="l2"),
        layer({"sos_offering_id": "B", "sos_offering_name": "not shown", "sos_procedure": "S9"}, name="l3"),
    ),
    "caps_two_properties": mapfile(
        layer(),
        layer({"sos_observedproperty_id": "op2", "sos_observedproperty_name": "Second <&>"}, name="l2"),
        layer({"sos_observedproperty_id": "OP", "sos_observedproperty_name": "not shown"}, name="l3"),
    ),
    "caps_no_property": mapfile(layer({"sos_observedproperty_id": None})),
    "caps_property_details": mapfile(
        layer(
            {
                "sos_observedproperty_name": "Proper & named",
                "sos_observedproperty_authority": "ACME&Co",
                "sos_observedproperty_version": "2.1",
                "sos_id_alias": "identity",
                "sos_Stn_Alias": "station",
            }
        )
    ),
    "caps_property_ows": mapfile(layer({"ows_observedproperty_name": "only ows", "sos_observedproperty_id": "op"})),
    "caps_extent_spaces": mapfile(layer({"sos_offering_extent": " -1.5 , 2 ,3e1, 4x"})),
    "caps_extent_text": mapfile(layer({"sos_offering_extent": "a,b,c,d"})),
    "caps_extent_3857": mapfile(layer({"sos_offering_extent": "-100,-100,100,100", "sos_srs": "EPSG:3857 EPSG:1"})),
    "caps_extent_no_crs": mapfile(layer(projection=None), projection=None),
    "caps_extent_map_crs": mapfile(layer(projection=None)),
    "caps_extent_word": mapfile(layer(projection='"epsg:4326"'), projection='"epsg:4326"'),
    "caps_extent_proj": mapfile(layer(projection='"proj=longlat" "datum=WGS84" "no_defs"')),
    "caps_extent_upper": mapfile(layer(projection='"init=EPSG:4326"')),
    "caps_extent_crs84": mapfile(layer({"sos_srs": "CRS:84"})),
    "caps_time_begin": mapfile(layer({"sos_offering_timeextent": "2001-01-01"})),
    "caps_time_open": mapfile(layer({"sos_offering_timeextent": "2001-01-01/"})),
    "caps_time_lead": mapfile(layer({"sos_offering_timeextent": "/2001-01-01"})),
    "caps_time_bogus": mapfile(layer({"sos_offering_timeextent": "then/<&>"})),
    "caps_procedures_odd": mapfile(layer({"sos_procedure": " S1  S2 "})),
    "caps_procedures_markup": mapfile(layer({"sos_procedure": "urn:x:<1> a&b"})),
    "caps_procedures_repeat": mapfile(layer({"sos_procedure": "S1 S1 s1"}), layer({"sos_procedure": "S1"}, name="l2")),
    "caps_procedure_empty": mapfile(layer({"sos_procedure": "", "sos_procedure_item": "STN"})),
    "caps_item_text": mapfile(layer({"sos_procedure": None, "sos_procedure_item": "TXT"})),
    "caps_item_case": mapfile(layer({"sos_procedure": None, "sos_procedure_item": "stn"})),
    "caps_item_second": mapfile(layer(), layer(ITEM, name="l2")),
    "caps_two_items": mapfile(
        layer(ITEM),
        layer({**ITEM, "sos_timeitem": None}, name="l2", source='DATA "other"'),
    ),
    "caps_item_filter": mapfile(layer(ITEM, extra='FILTERITEM "STN" FILTER "S2"')),
    "caps_item_extent": mapfile(layer(ITEM), extent="-74.6 46 -70 50"),
    "caps_markup": mapfile(
        layer(
            {
                "sos_offering_name": 'A < B > C "D"',
                "sos_offering_description": "it's <b>",
            }
        )
    ),
    "caps_references": mapfile(layer({"sos_offering_intendedapplication": "&lt;fine&gt; &amp; good"})),
    "caps_entities": mapfile(layer({"sos_offering_name": "one &#65; two"})),
    "caps_ampersand": mapfile(layer({"sos_offering_name": "A & B", "sos_offering_description": "AT&T;x"})),
    "caps_id_markup": mapfile(layer({"sos_offering_id": "a<b&c"})),
    "caps_offering_space": mapfile(layer({"sos_offering_id": "Water Quality"})),
    "caps_time_three": mapfile(layer({"sos_offering_timeextent": "2001/2002/2003"})),
    "caps_lines": mapfile(layer(without(["sos_timeitem"]), source='DATA "lines"', type="LINE")),
    "caps_inline": mapfile(
        layer(
            {"sos_timeitem": "t", "sos_v_alias": "Value", "sos_offering_timeextent": "2001/2002"},
            source='FEATURE POINTS 1 2 END ITEMS "2001-01-01;5" END\n  PROCESSING "ITEMS=t,v"',
        )
    ),
    "caps_no_data": mapfile(layer(source='DATA "nowhere"')),
    "caps_select": mapfile(
        layer(
            source='CONNECTIONTYPE OGR CONNECTION "five.gpkg" DATA "SELECT ID, STN, TISO, geom FROM five WHERE ID > 2"'
        )
    ),
    "caps_layer_number": mapfile(layer(source='CONNECTIONTYPE OGR CONNECTION "five.gpkg" DATA "0"')),
    "caps_no_layer_name": mapfile(layer(source='CONNECTIONTYPE OGR CONNECTION "five.geojson"')),
    "caps_status_off": mapfile(layer(status="OFF")),
    "caps_status_default": mapfile(layer(status="DEFAULT")),
    "caps_groups": mapfile(layer(extra='GROUP "g"\nCLASS NAME "c" STYLE COLOR 255 0 0 END END')),
    "caps_map_blocks": mapfile(
        layer(),
        extra='UNITS DD\nIMAGECOLOR 255 255 255\nOUTPUTFORMAT NAME "png" DRIVER "AGG/PNG" MIMETYPE "image/png" END\n'
        "LEGEND STATUS ON END\nSCALEBAR UNITS KILOMETERS END\nQUERYMAP STATUS OFF END",
    ),
}


def case(
    id: str,
    map: str,
    *differs: str,
    query: str = capabilities(),
    phenomenon: bool = True,
    expects: tuple[Expectation, ...] = (),
) -> Case:
    """A case whose offerings have an observed property, unless told otherwise (then B-06 is not met)."""
    names = (*differs, "B-06") if phenomenon and not expects else differs
    return Case(id, map, query, differs=names, expects=expects)


CASES: list[Case] = [
    *(case(f"caps-{source}", source) for source in FIVE_SOURCES),
    *(case(f"caps-item-{source}", f"item_{source}") for source in FIVE_SOURCES),
    *(case(f"caps-both-{source}", f"both_{source}") for source in FIVE_SOURCES),
    case("caps-additions", "shp", "B-26"),
    case("caps-every-sos", "caps_every_sos"),
    case("caps-every-ows", "caps_every_ows"),
    case("caps-both-prefixes", "caps_both_prefixes"),
    case("caps-empty-texts", "caps_empty_texts"),
    case("caps-upper-keys", "caps_upper_keys"),
    *(case(f"caps-without-{key}", f"caps_without_{key}") for key in TEXT_KEYS),
    *(case(f"caps-keywords-{kind}", f"caps_keywords_{kind}") for kind in ("odd", "lead", "one", "spaces")),
    case("caps-schemas", "caps_schemas"),
    case(
        "caps-schemas-sos",
        "caps_schemas_sos",
        "B-21",
        expects=(
            attributes(
                "sos:Capabilities",
                "xsi:schemaLocation",
                ["http://www.opengis.net/sos/1.0 http://schemas.test/root/sos/1.0.0/sosGetCapabilities.xsd"],
            ),
        ),
    ),
    case("caps-schemas-markup", "caps_schemas_markup", "D-19"),
    case("caps-update", "caps_update"),
    case("caps-update-markup", "caps_update_markup"),
    case("caps-update-ows", "caps_update_ows"),
    case("caps-max", "caps_max"),
    case("caps-max-list", "caps_max_list"),
    case("caps-max-text", "caps_max_text"),
    case("caps-no-srs", "caps_no_srs"),
    case("caps-ows-srs", "caps_ows_srs"),
    case("caps-srs-spaces", "caps_srs_spaces"),
    case("caps-srs-empty", "caps_srs_empty"),
    case("caps-no-layer", "caps_no_layer", phenomenon=False),
    case("caps-no-offering", "caps_no_offering"),
    case("caps-bare", "caps_bare", "D-27", "D-13"),
    case("caps-no-srs-bare", "caps_no_srs_bare", "D-27", "D-13"),
    case("caps-name-only", "caps_name_only", "D-27", "D-13"),
    case("caps-description-only", "caps_description_only", "D-13"),
    case("caps-application-only", "caps_application_only", "D-27", "D-13"),
    case("caps-no-name", "caps_no_name"),
    case("caps-no-application", "caps_no_application"),
    case("caps-second-bare", "caps_second_bare", "D-27", "D-13"),
    case("caps-three-offerings", "caps_three_offerings"),
    case("caps-two-properties", "caps_two_properties", "B-35"),
    case("caps-no-property", "caps_no_property", phenomenon=False),
    case("caps-property-details", "caps_property_details"),
    case(
        "caps-property-ows",
        "caps_property_ows",
        "D-26",
        expects=(values("gml:name", ["Offering", "only ows"]),),
    ),
    case("caps-extent-spaces", "caps_extent_spaces"),
    case("caps-extent-text", "caps_extent_text"),
    case("caps-extent-3857", "caps_extent_3857"),
    case("caps-extent-no-crs", "caps_extent_no_crs"),
    case("caps-extent-map-crs", "caps_extent_map_crs"),
    case("caps-extent-word", "caps_extent_word", "D-31"),
    case("caps-extent-proj", "caps_extent_proj"),
    case("caps-extent-upper", "caps_extent_upper", "D-31"),
    case("caps-extent-crs84", "caps_extent_crs84"),
    case("caps-time-begin", "caps_time_begin", "D-17"),
    case("caps-time-open", "caps_time_open", "D-17"),
    case("caps-time-lead", "caps_time_lead"),
    case("caps-time-bogus", "caps_time_bogus", "D-16", expects=(values("gml:endPosition", ["<&>"]),)),
    case("caps-procedures-odd", "caps_procedures_odd", "B-35"),
    case("caps-procedures-markup", "caps_procedures_markup"),
    case("caps-procedures-repeat", "caps_procedures_repeat", "B-35"),
    case("caps-procedure-empty", "caps_procedure_empty"),
    case("caps-item-text", "caps_item_text"),
    case("caps-item-case", "caps_item_case"),
    case(
        "caps-item-second",
        "caps_item_second",
        "D-09",
        expects=(
            attributes("sos:procedure", "xlink:href", [f"urn:ogc:def:procedure:S{n}" for n in (1, 2, 3)]),
        ),
    ),
    case(
        "caps-two-items",
        "caps_two_items",
        "D-09",
        expects=(
            attributes(
                "sos:procedure",
                "xlink:href",
                [f"urn:ogc:def:procedure:{name}" for name in ("S1", "S2", "S3", "T1", "T2")],
            ),
        ),
    ),
    case("caps-item-filter", "caps_item_filter"),
    case("caps-item-extent", "caps_item_extent"),
    case("caps-markup", "caps_markup"),
    case(
        "caps-references",
        "caps_references",
        expects=(values("sos:intendedApplication", ["<fine> & good"]),),
    ),
    case("caps-entities", "caps_entities", "D-16", expects=(values("gml:name", ["one &#65; two"]),)),
    case(
        "caps-ampersand",
        "caps_ampersand",
        "D-16",
        expects=(values("gml:name", ["A & B"]), values("gml:description", ["AT&T;x"])),
    ),
    case("caps-id-markup", "caps_id_markup"),
    case("caps-offering-space", "caps_offering_space"),
    case("caps-time-three", "caps_time_three", phenomenon=False),
    case("caps-lines", "caps_lines"),
    case("caps-inline", "caps_inline"),
    case(
        "caps-no-data",
        "caps_no_data",
        "D-33",
        expects=(attributes("ows:Exception", "exceptionCode", ["NoApplicableCode"]),),
    ),
    case("caps-select", "caps_select"),
    case("caps-layer-number", "caps_layer_number"),
    case("caps-no-layer-name", "caps_no_layer_name"),
    case("caps-status-off", "caps_status_off"),
    case("caps-status-default", "caps_status_default"),
    case("caps-groups", "caps_groups"),
    case("caps-map-blocks", "caps_map_blocks"),
    *(
        case(f"caps-version-{number}", "shp", query=capabilities(version=text))
        for number, text in enumerate(("1.0.0", "7.7.7", "garbage", ""))
    ),
    *(
        case(f"caps-accept-{number}", "shp", query=capabilities(acceptVersions=text))
        for number, text in enumerate(("1.0.0", "1.0", "2.0.0,1.0.0", "x,1.0.0", "1.0.0,x"))
    ),
    case("caps-upper-names", "shp", query=kvp(SERVICE="sos", REQUEST="getcapabilities")),
    case("caps-sequence-lower", "caps_update", query=capabilities(updateSequence="2006-01-01")),
    case("caps-sequence-other-type", "caps_update", query=capabilities(updateSequence="2008")),
    case("caps-sequence-none", "shp", query=capabilities(updateSequence="2008")),
    Case("caps-comment-of-version", "shp", capabilities(), config="version", differs=("B-03", "B-06")),
]
