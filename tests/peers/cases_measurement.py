"""om:Measurement: envelope, members, values, geometries, layers, limits (docs/mapserver-sos.md, "om:Measurement")."""

from __future__ import annotations

from .cases import Case, Expectation, kvp, observations
from .expectations import attributes, exception, members, text, values
from .mapfiles import FIVE_SOURCES, LAYER, layer, mapfile, without

PLAIN = without(["sos_timeitem", "sos_offering_timeextent"])

NUMBER_META = {**PLAIN, "sos_X_alias": "x", "sos_S_alias": "s", "sos_ID_alias": "id"}

NUMBER_SOURCES = {
    "shp": 'DATA "numbers"',
    **{
        ext: f'CONNECTIONTYPE OGR CONNECTION "numbers.{ext}" DATA "numbers"'
        for ext in ("gpkg", "geojson", "fgb", "sqlite")
    },
    "csv": 'CONNECTIONTYPE OGR CONNECTION "numbers.vrt" DATA "numbers"',
}

EVERY_ALIAS = {f"sos_{item}_alias": item.lower() for item in ("ID", "STN", "TISO", "TDT", "TD", "VAL", "TXT")}


def shapes(name: str, type: str, extension: str = "shp") -> str:
    source = (
        f'DATA "{name}"' if extension == "shp" else f'CONNECTIONTYPE OGR CONNECTION "{name}.{extension}" DATA "{name}"'
    )
    return mapfile(layer({"sos_timeitem": "T", "sos_ID_alias": "id"}, source=source, type=type))


INLINE = (
    'FEATURE POINTS 1 2 END ITEMS "2001-01-01;5;a & b" END\n'
    '  FEATURE POINTS -3.5 4.25 END ITEMS "2002-01-01;;" END\n'
    '  PROCESSING "ITEMS=t,v,w"'
)

MAPS: dict[str, str] = {
    **{f"every_{name}": mapfile(layer(EVERY_ALIAS, source=source)) for name, source in FIVE_SOURCES.items()},
    **{f"numbers_{name}": mapfile(layer(NUMBER_META, source=source)) for name, source in NUMBER_SOURCES.items()},
    **{
        f"{name}_{ext}": mapfile(
            layer(
                {"sos_timeitem": "WHEN_", "sos_WHEN__alias": "w"},
                source=f'CONNECTIONTYPE OGR CONNECTION "{name}.{ext}" DATA "{name}"',
            )
        )
        for name in ("zones", "fractions")
        for ext in ("gpkg", "fgb", "geojson")
    },
    **{f"lines_{ext}": shapes("lines", "LINE", ext) for ext in ("shp", "gpkg", "geojson")},
    **{f"polygons_{ext}": shapes("polygons", "POLYGON", ext) for ext in ("shp", "gpkg", "geojson")},
    **{f"multipoints_{ext}": shapes("multipoints", "POINT", ext) for ext in ("shp", "gpkg", "geojson")},
    "meas_lines_as_points": shapes("lines", "POINT"),
    "meas_polygons_as_lines": shapes("polygons", "LINE"),
    "meas_inline": mapfile(layer({"sos_timeitem": "t", "sos_v_alias": "v", "sos_w_alias": "w"}, source=INLINE)),
    "meas_no_metadata": mapfile(
        layer(
            {
                **without(key for key in LAYER if key.startswith("sos_offering_") and key != "sos_offering_id"),
                "sos_timeitem": None,
            }
        )
    ),
    "meas_no_alias": mapfile(layer({**without(key for key in LAYER if key.endswith("_alias"))})),
    "meas_no_time": mapfile(layer({"sos_timeitem": None})),
    "meas_time_unknown": mapfile(layer({"sos_timeitem": "NOPE"})),
    "meas_time_ows": mapfile(layer({"sos_timeitem": None, "ows_timeitem": "tiso"})),
    "meas_no_procedure": mapfile(layer({"sos_procedure": None})),
    "meas_item_unknown": mapfile(layer({"sos_procedure_item": "NOPE"})),
    "meas_item_markup": mapfile(layer({"sos_procedure": None, "sos_procedure_item": "TXT"})),
    "meas_featureid_unknown": mapfile(layer({"ows_featureid": "NOPE"})),
    "meas_featureid_gml": mapfile(layer({"gml_featureid": "id"})),
    "meas_featureid_sos": mapfile(layer({"sos_featureid": "STN"})),
    "meas_featureid_order": mapfile(layer({"sos_featureid": "STN", "ows_featureid": "ID", "gml_featureid": "TXT"})),
    "meas_featureid_text": mapfile(layer({"ows_featureid": "TXT"})),
    "meas_prefix": mapfile(layer(), web={"sos_namespace_prefix": "wq", "sos_namespace_uri": "http://ns.test/wq"}),
    "meas_uri_markup": mapfile(layer(), web={"sos_namespace_uri": "http://ns.test/?a=1&b"}),
    "meas_prefix_wfs": mapfile(
        layer(), web={"wfs_namespace_prefix": "w", "ows_namespace_prefix": "o", "ows_namespace_uri": "http://ows.test"}
    ),
    "meas_property_details": mapfile(
        layer(
            {
                "sos_observedproperty_name": "Name <&>",
                "sos_observedproperty_authority": "A",
                "sos_observedproperty_version": "9",
            }
        )
    ),
    "meas_max_2": mapfile(layer(), web={"sos_maxfeatures": "2"}),
    "meas_max_0": mapfile(layer(), web={"sos_maxfeatures": "0"}),
    "meas_max_minus": mapfile(layer(), web={"sos_maxfeatures": "-3"}),
    "meas_max_text": mapfile(layer(), web={"sos_maxfeatures": "many"}),
    "meas_max_list": mapfile(layer(), web={"ows_maxfeatures": "3,1"}),
    "meas_max_large": mapfile(layer(), web={"sos_maxfeatures": "1000000"}),
    "meas_max_two_layers": mapfile(layer(), layer(name="l2"), web={"sos_maxfeatures": "3"}),
    "meas_layer_max": mapfile(layer(extra="MAXFEATURES 2")),
    "meas_filter_item": mapfile(layer(extra='FILTERITEM "STN" FILTER "S2"')),
    "meas_filter_regex": mapfile(layer(extra='FILTERITEM "TXT" FILTER /^p.*t$/')),
    "meas_filter_number": mapfile(layer(extra="FILTER ([ID] >= 3)")),
    "meas_filter_logic": mapfile(layer(extra="FILTER (('[STN]' = 'S1' AND [ID] > 1) OR NOT ([ID] < 5))")),
    "meas_filter_in": mapfile(layer(extra="FILTER ('[STN]' IN 'S1,S3')")),
    "meas_filter_gpkg": mapfile(layer(source=FIVE_SOURCES["gpkg"], extra="FILTER ([ID] < 3)")),
    "meas_filter_geojson": mapfile(layer(source=FIVE_SOURCES["geojson"], extra="FILTER ([ID] < 3)")),
    "meas_filter_like": mapfile(layer(extra="FILTER ('[TXT]' ~ 'text')")),
    "meas_filter_native": mapfile(layer(source=FIVE_SOURCES["gpkg"], extra="PROCESSING \"NATIVE_FILTER=STN = 'S2'\"")),
    "meas_select": mapfile(
        layer(
            source='CONNECTIONTYPE OGR CONNECTION "five.gpkg" '
            'DATA "SELECT geom, VAL, STN, TISO FROM five WHERE ID <> 3"'
        )
    ),
    "meas_select_shp": mapfile(
        layer(source='CONNECTIONTYPE OGR CONNECTION "five.shp" DATA "SELECT VAL, STN, TISO FROM five ORDER BY ID DESC"')
    ),
    "meas_ogr_shp": mapfile(layer(source='CONNECTIONTYPE OGR CONNECTION "five.shp" DATA "five"')),
    "meas_latin": mapfile(
        layer({**PLAIN, "sos_TXT_alias": "Text"}, source='DATA "latin"', extra='ENCODING "ISO-8859-1"')
    ),
    "meas_blanks": mapfile(
        layer(
            {
                **PLAIN,
                "sos_procedure": "S1",
                "sos_d_alias": "d",
                "sos_r_alias": "r",
                "sos_i_alias": "i",
                "sos_c_alias": "c",
            },
            source='DATA "blanks"',
        )
    ),
    "meas_bare_geometry": mapfile(
        layer({**PLAIN, "sos_ID_alias": "id"}, source='CONNECTIONTYPE OGR CONNECTION "bare.gpkg" DATA "bare"')
    ),
    "meas_two_layers": mapfile(layer(), layer({"sos_procedure": "S9"}, name="l2")),
    "meas_two_kinds": mapfile(
        layer({"sos_procedure": "S1"}),
        layer({"sos_procedure": "T1 T2", "sos_DEPTH_alias": "Depth"}, name="l2", source='DATA "other"'),
    ),
    "meas_two_properties": mapfile(
        layer(), layer({"sos_observedproperty_id": "op2", "sos_offering_name": "not shown"}, name="l2")
    ),
    "meas_off": mapfile(layer(status="OFF")),
    "meas_empty": mapfile(layer(source='DATA "empty"')),
    "meas_names": mapfile(
        layer({"sos_VAL_alias": "my value", "sos_TXT_alias": "1st", "sos_ID_alias": "t&x"}, name="my layer")
    ),
    "meas_names_odd": mapfile(layer({"sos_VAL_alias": "värde-1.x_y"}, name="læyer")),
    "meas_offering_odd": mapfile(layer({"sos_offering_id": "Water Quality", "sos_observedproperty_id": "a<b"})),
    "meas_bounded_3857": mapfile(layer({"sos_srs": "EPSG:3857"})),
    "meas_no_crs": mapfile(layer(projection=None), projection=None),
    "meas_epsg_word": mapfile(layer(projection='"epsg:4326"'), projection='"epsg:4326"'),
    "meas_proj_text": mapfile(
        layer(projection='"proj=longlat" "datum=WGS84" "no_defs"'), projection='"proj=longlat" "datum=WGS84" "no_defs"'
    ),
    "meas_map_crs_only": mapfile(layer(projection=None)),
    "meas_layer_crs_only": mapfile(layer(), projection=None),
    "meas_resource_params": mapfile(layer(), web={"sos_onlineresource": "http://h/cgi?map=a&x=<1>"}),
    "meas_resource_bare": mapfile(layer(), web={"sos_onlineresource": None, "ows_onlineresource": "http://h/cgi"}),
    "meas_schemas": mapfile(layer(), web={"ows_schemas_location": "http://schemas.test"}),
    "meas_markup": mapfile(layer({"sos_offering_name": 'A < B "q"', "sos_offering_description": "it's > 1"})),
    "meas_ampersand": mapfile(layer({"sos_offering_name": "A & B"})),
    "meas_classes": mapfile(
        layer(extra='MAXSCALEDENOM 1000\nCLASSITEM "STN"\nCLASS EXPRESSION "S1" STYLE COLOR 1 1 1 END END')
    ),
    "meas_no_data": mapfile(layer(source='DATA "nowhere"')),
    "meas_broken": mapfile(layer(source='CONNECTIONTYPE OGR CONNECTION "broken.gpkg" DATA "five"')),
    "meas_property_case": mapfile(
        layer({"sos_observedproperty_id": "Op"}), layer({"sos_observedproperty_id": "OP2"}, name="l2")
    ),
}

S1 = {"procedure": "S1"}


def case(id: str, map: str, *differs: str, expects: tuple[Expectation, ...] = (), **parameters: str | None) -> Case:
    return Case(id, map, observations(**parameters), differs=differs, expects=expects)


CASES: list[Case] = [
    *(case(f"meas-{name}", name) for name in FIVE_SOURCES),
    *(case(f"meas-item-{name}", f"item_{name}") for name in FIVE_SOURCES),
    *(case(f"meas-both-{name}", f"both_{name}") for name in FIVE_SOURCES),
    *(case(f"meas-every-{name}", f"every_{name}") for name in FIVE_SOURCES),
    *(case(f"meas-numbers-{name}", f"numbers_{name}", "D-27") for name in NUMBER_SOURCES),
    *(case(f"meas-zones-{ext}", f"zones_{ext}", "D-27") for ext in ("gpkg", "fgb", "geojson")),
    *(case(f"meas-fractions-{ext}", f"fractions_{ext}", "B-37") for ext in ("gpkg", "fgb", "geojson")),
    *(case(f"meas-lines-{ext}", f"lines_{ext}", "D-27") for ext in ("shp", "gpkg", "geojson")),
    *(
        case(
            f"meas-polygons-{ext}",
            f"polygons_{ext}",
            "D-30",
            expects=(
                members(3),
                values(
                    "gml:innerBoundaryIs",
                    ["22.000000,2.000000 24.000000,2.000000 24.000000,4.000000 22.000000,4.000000 22.000000,2.000000 "],
                ),
            ),
        )
        for ext in ("shp", "gpkg", "geojson")
    ),
    *(case(f"meas-multipoints-{ext}", f"multipoints_{ext}") for ext in ("shp", "gpkg", "geojson")),
    case("meas-lines-as-points", "meas_lines_as_points", "D-27"),
    case(
        "meas-polygons-as-lines",
        "meas_polygons_as_lines",
        "D-30",
        expects=(attributes("gml:MultiPolygon", "srsName", ["EPSG:4326"] * 2), members(3)),
    ),
    case("meas-inline", "meas_inline"),
    case("meas-no-metadata", "meas_no_metadata", "D-27"),
    case("meas-no-alias", "meas_no_alias"),
    case("meas-no-time", "meas_no_time", "D-27"),
    case("meas-time-unknown", "meas_time_unknown", "D-27"),
    case("meas-time-ows", "meas_time_ows"),
    case("meas-no-procedure", "meas_no_procedure"),
    case("meas-no-procedure-asked", "meas_no_procedure", **S1),
    case("meas-item-unknown", "meas_item_unknown"),
    case("meas-item-markup", "meas_item_markup", "D-16b"),
    case("meas-featureid-unknown", "meas_featureid_unknown"),
    case("meas-featureid-gml", "meas_featureid_gml"),
    case("meas-featureid-sos", "meas_featureid_sos"),
    case("meas-featureid-order", "meas_featureid_order"),
    case("meas-featureid-text", "meas_featureid_text"),
    case("meas-prefix", "meas_prefix"),
    case("meas-uri-markup", "meas_uri_markup", "B-15", expects=(members(5),)),
    case("meas-prefix-wfs", "meas_prefix_wfs"),
    case("meas-property-details", "meas_property_details"),
    *(case(f"meas-max-{kind}", f"meas_max_{kind}") for kind in ("2", "0", "minus", "text", "list", "large")),
    case("meas-max-two-layers", "meas_max_two_layers", "D-14c", expects=(members(3),)),
    case("meas-layer-max", "meas_layer_max"),
    *(
        case(f"meas-filter-{kind}", f"meas_filter_{kind}")
        for kind in ("item", "regex", "number", "logic", "in", "gpkg", "geojson", "like", "native")
    ),
    case("meas-select", "meas_select"),
    case("meas-select-shp", "meas_select_shp"),
    case("meas-ogr-shp", "meas_ogr_shp"),
    case("meas-latin", "meas_latin", "D-27"),
    case("meas-blanks", "meas_blanks", "D-27"),
    case("meas-bare-geometry", "meas_bare_geometry", "D-27"),
    case("meas-two-layers", "meas_two_layers"),
    case("meas-two-layers-first", "meas_two_layers", procedure="S1"),
    case("meas-two-layers-both", "meas_two_layers", procedure="S1,S9"),
    case("meas-two-layers-second", "meas_two_layers", "D-07", expects=(members(5),), procedure="S9"),
    case(
        "meas-two-kinds",
        "meas_two_kinds",
        "D-09",
        expects=(
            members(7),
            values("ms:Depth", ["11", "12"]),
            values(
                "ms:Value",
                [
                    "89.900000000000006",
                    "0.300000000000000",
                    "",
                    "0.333333333333333",
                    "123456789.123456701636314",
                    "7.5000",
                    "8.5000",
                ],
            ),
        ),
    ),
    case("meas-two-properties", "meas_two_properties"),
    case("meas-two-properties-second", "meas_two_properties", observedProperty="op2"),
    case("meas-two-properties-both", "meas_two_properties", observedProperty="op,op2"),
    case("meas-two-properties-all", "meas_two_properties", observedProperty="op2,OP"),
    case(
        "meas-two-properties-some",
        "meas_two_properties",
        "B-36",
        expects=(exception("InvalidParameterValue", "observedproperty", "ObservedProperty nope not found"),),
        observedProperty="nope,op2",
    ),
    case("meas-off", "meas_off"),
    case("meas-empty", "meas_empty"),
    case("meas-names", "meas_names", "D-18", expects=(members(5),)),
    case("meas-names-odd", "meas_names_odd", "D-12"),
    case("meas-offering-odd", "meas_offering_odd", offering="water quality", observedProperty="A<B"),
    case("meas-bounded-3857", "meas_bounded_3857"),
    case("meas-no-crs", "meas_no_crs"),
    case("meas-epsg-word", "meas_epsg_word", "D-31"),
    case("meas-proj-text", "meas_proj_text"),
    case("meas-map-crs-only", "meas_map_crs_only"),
    case("meas-layer-crs-only", "meas_layer_crs_only"),
    case("meas-resource-params", "meas_resource_params"),
    case("meas-resource-bare", "meas_resource_bare"),
    case("meas-schemas", "meas_schemas"),
    case("meas-markup", "meas_markup"),
    case("meas-ampersand", "meas_ampersand", "D-16", expects=(values("gml:name", ["A & B"]), members(5))),
    case("meas-classes", "meas_classes"),
    case(
        "meas-no-data",
        "meas_no_data",
        "D-33",
        expects=(attributes("ows:Exception", "exceptionCode", ["NoApplicableCode"]),),
    ),
    case(
        "meas-broken",
        "meas_broken",
        "D-33",
        expects=(attributes("ows:Exception", "exceptionCode", ["NoApplicableCode"]),),
    ),
    case("meas-property-case", "meas_property_case", observedProperty="op,oP2"),
    case("meas-offering-upper", "shp", offering="OFF"),
    case("meas-model-lower", "shp", resultModel="OM:measurement"),
    case("meas-format-upper", "shp", responseFormat='TEXT/XML; SUBTYPE="OM/1.0.0"'),
    case("meas-format-unquoted", "shp", "D-26", expects=(members(5),), responseFormat="text/xml; subtype=om/1.0.0"),
    case("meas-mode-inline", "shp", responseMode="INLINE"),
    case("meas-srs-same", "shp", srsName="epsg:4326"),
    case("meas-procedure-1", "shp", **S1),
    case("meas-procedure-1-lower", "shp", procedure="s1"),
    case("meas-procedure-1-list", "shp", procedure="S1,S2"),
    case(
        "meas-procedure-1-list-unknown",
        "shp",
        "B-36",
        expects=(exception("InvalidParameterValue", "procedure", "Procedure S99 not found"),),
        procedure="S99,S2",
    ),
    case("meas-procedure-urn", "shp", "D-08", expects=(members(5),), procedure="urn:ogc:def:procedure:S1"),
    case("meas-procedure-item", "item_shp", **S1),
    case(
        "meas-procedure-urn-escaped",
        "shp",
        "B-34",
        expects=(members(5),),
        procedure="urn:ogc:def:procedure:%53%31",
    ),
    case(
        "meas-property-urn",
        "shp",
        "B-34",
        expects=(members(5),),
        observedProperty="urn:ogc:def:property:OGC-SWE:1:op",
    ),
    case(
        "meas-offering-xml-name",
        "meas_offering_odd",
        "B-34",
        expects=(members(5),),
        offering="Water_x0020_Quality",
        observedProperty="a<b",
    ),
    case("meas-procedure-item-list", "item_shp", procedure="S1,S3"),
    case(
        "meas-procedure-item-list-unknown",
        "item_shp",
        "B-36",
        expects=(exception("InvalidParameterValue", "procedure", "Invalid procedure value S99"),),
        procedure="S1,S3,S99",
    ),
    case("meas-procedure-both", "both_shp", procedure="S2"),
    *(
        case(f"meas-procedure-item-{name}", f"item_{name}", "D-03", expects=(members(2),), **S1)
        for name in FIVE_SOURCES
        if name != "shp"
    ),
    *(
        case(f"meas-procedure-both-{name}", f"both_{name}", "D-03", expects=(members(3),), procedure="S2,S3")
        for name in FIVE_SOURCES
        if name != "shp"
    ),
    case("meas-as-csv", "shp", "B-29", expects=(text("time,procedure,"),), responseFormat="text/csv"),
    case("meas-as-geojson", "shp", "B-29", expects=(text("FeatureCollection"),), responseFormat="application/geo+json"),
    case("meas-by-year", "shp", "B-30", expects=(members(4),), aggregateInterval="P1Y", aggregateFunction="count"),
    Case(
        "meas-availability",
        "shp",
        kvp(service="SOS", version="1.0.0", request="GetDataAvailability"),
        differs=("B-31",),
        expects=(values("gda:count", ["5"]),),
    ),
]
