"""om:Observation: fields, records, separators, grouping by procedure (docs/mapserver-sos.md, "om:Observation")."""

from __future__ import annotations

from .cases import Case, Expectation, data_block
from .expectations import attributes, members, records
from .mapfiles import FIVE_SOURCES, ITEM, LAYER, layer, mapfile, without

PLAIN_ALIASES = {"sos_TXT_alias": None, "sos_ID_alias": "id", "sos_STN_alias": "stn"}

MAPS: dict[str, str] = {
    **{f"block_{name}": mapfile(layer(PLAIN_ALIASES, source=source)) for name, source in FIVE_SOURCES.items()},
    **{
        f"block_item_{name}": mapfile(layer({**PLAIN_ALIASES, **ITEM}, source=source))
        for name, source in FIVE_SOURCES.items()
    },
    "block_units": mapfile(
        layer(
            {
                **PLAIN_ALIASES,
                "sos_VAL_definition": "urn:x:def<&>",
                "sos_VAL_uom": "m/s²",
                "sos_ID_uom": "",
                "sos_stn_Definition": "d",
            }
        )
    ),
    "block_separators": mapfile(
        layer(PLAIN_ALIASES), web={"sos_encoding_blockSeparator": "@@", "sos_encoding_tokenSeparator": ";"}
    ),
    "block_separators_ows": mapfile(
        layer(PLAIN_ALIASES), web={"ows_encoding_blockSeparator": "@@", "ows_encoding_tokenSeparator": ";"}
    ),
    "block_separators_markup": mapfile(
        layer(PLAIN_ALIASES), web={"sos_encoding_blockSeparator": " <&> ", "sos_encoding_tokenSeparator": "\t"}
    ),
    "block_separators_empty": mapfile(
        layer(PLAIN_ALIASES), web={"sos_encoding_blockSeparator": "", "sos_encoding_tokenSeparator": ""}
    ),
    "block_no_time": mapfile(layer({**PLAIN_ALIASES, "sos_timeitem": None})),
    "block_time_unknown": mapfile(layer({**PLAIN_ALIASES, "sos_timeitem": "NOPE"})),
    "block_time_begin": mapfile(layer({**PLAIN_ALIASES, "sos_offering_timeextent": "2001-01-01"})),
    "block_time_open": mapfile(layer({**PLAIN_ALIASES, "sos_offering_timeextent": "2001-01-01/"})),
    "block_no_extent": mapfile(layer({**PLAIN_ALIASES, "sos_offering_timeextent": None})),
    "block_no_procedure": mapfile(layer({**PLAIN_ALIASES, "sos_procedure": None})),
    "block_no_alias": mapfile(layer(without(key for key in LAYER if key.endswith("_alias")))),
    "block_markup": mapfile(layer({**ITEM, "sos_procedure_item": "TXT"})),
    "block_text": mapfile(layer()),
    "block_two_layers": mapfile(
        layer({**PLAIN_ALIASES, "sos_procedure": "S1"}),
        layer({"sos_procedure": "T1", "sos_DEPTH_alias": "Depth"}, name="l2", source='DATA "other"'),
    ),
    "block_two_items": mapfile(
        layer({**PLAIN_ALIASES, **ITEM}), layer({**ITEM, "sos_DEPTH_alias": "Depth"}, name="l2", source='DATA "other"')
    ),
    "block_max": mapfile(layer(PLAIN_ALIASES), web={"sos_maxfeatures": "2"}),
    "block_empty": mapfile(layer(PLAIN_ALIASES, source='DATA "empty"')),
    "block_empty_item": mapfile(layer({**PLAIN_ALIASES, **ITEM}, source='DATA "empty"')),
    "block_lines": mapfile(layer({"sos_timeitem": "T", "sos_ID_alias": "id"}, source='DATA "lines"', type="LINE")),
    "block_mercator": mapfile(
        layer({"sos_timeitem": None, "sos_ID_alias": "id"}, source='DATA "mercator"', projection='"init=epsg:3857"')
    ),
    "block_item_case": mapfile(
        layer(
            {"sos_procedure": None, "sos_procedure_item": "p", "sos_timeitem": "t", "sos_v_alias": "v"},
            source="\n  ".join(
                f'FEATURE POINTS {x} 1 END ITEMS "{item}" END'
                for x, item in enumerate(("2001;A;1", "2002;b;2", "2003;a;3", "2004;;4", "2005;B;5", "2006;;6"))
            )
            + '\n  PROCESSING "ITEMS=t,p,v"',
        )
    ),
    "block_numbers": mapfile(
        layer(
            {"sos_timeitem": None, "sos_X_alias": "x", "sos_ID_alias": "id"},
            source='CONNECTIONTYPE OGR CONNECTION "numbers.gpkg" DATA "numbers"',
        )
    ),
    "block_alias_twice": mapfile(layer({**PLAIN_ALIASES, "sos_ID_alias": "same", "sos_STN_alias": "same"})),
    "block_featureid": mapfile(layer({**PLAIN_ALIASES, "ows_featureid": "ID"})),
    "block_no_description": mapfile(
        layer(
            {
                **PLAIN_ALIASES,
                "sos_offering_name": None,
                "sos_offering_description": None,
                "sos_offering_extent": None,
                "sos_offering_timeextent": "2001/2002",
            }
        )
    ),
    "block_alias_odd": mapfile(layer({**PLAIN_ALIASES, "sos_VAL_alias": "my value & <more>"})),
}


def case(id: str, map: str, *differs: str, expects: tuple[Expectation, ...] = (), **parameters: str | None) -> Case:
    return Case(id, map, data_block(**parameters), differs=differs, expects=expects)


CASES: list[Case] = [
    *(case(f"block-{name}", f"block_{name}") for name in FIVE_SOURCES),
    *(case(f"block-item-{name}", f"block_item_{name}") for name in FIVE_SOURCES),
    case("block-units", "block_units"),
    case("block-separators", "block_separators"),
    case(
        "block-separators-ows",
        "block_separators_ows",
        "D-26",
        expects=(
            attributes("swe:TextBlock", "blockSeparator", ["@@"]),
            attributes("swe:TextBlock", "tokenSeparator", [";"]),
        ),
    ),
    case("block-separators-markup", "block_separators_markup"),
    case("block-separators-empty", "block_separators_empty"),
    case("block-no-time", "block_no_time"),
    case(
        "block-time-unknown",
        "block_time_unknown",
        "D-15b",
        expects=(attributes("swe:field", "name", ["id", "stn", "Time", "Value"]), members(1)),
    ),
    case("block-time-begin", "block_time_begin", "D-17"),
    case("block-time-open", "block_time_open", "D-17"),
    case("block-no-extent", "block_no_extent"),
    case("block-no-procedure", "block_no_procedure"),
    case("block-no-alias", "block_no_alias"),
    case("block-markup", "block_markup", "D-16b"),
    case("block-text", "block_text", "D-16b"),
    case(
        "block-two-layers",
        "block_two_layers",
        "D-09",
        expects=(
            members(2),
            attributes("om:procedure", "xlink:href", ["urn:ogc:def:procedure:S1", "urn:ogc:def:procedure:T1"]),
            attributes("swe:field", "name", ["time", "id", "stn", "Time", "Value", "time", "Value", "Depth", "Time"]),
        ),
    ),
    case(
        "block-two-items",
        "block_two_items",
        "D-02",
        expects=(
            members(5),
            attributes(
                "om:procedure",
                "xlink:href",
                [f"urn:ogc:def:procedure:{name}" for name in ("S1", "S2", "S3", "T1", "T2")],
            ),
        ),
    ),
    case(
        "block-max",
        "block_max",
        "D-14c",
        expects=(
            records(
                "2001-10-30T14:24:55Z,1,S1,2001-10-30T14:24:55Z,89.900000000000006\n"
                "2001-10-31T00:00:00Z,2,S1,2001-10-31T00:00:00Z,0.300000000000000"
            ),
        ),
    ),
    case("block-empty", "block_empty"),
    case("block-empty-item", "block_empty_item"),
    case("block-lines", "block_lines"),
    case("block-mercator", "block_mercator"),
    case("block-item-case", "block_item_case"),
    case("block-numbers", "block_numbers"),
    case("block-alias-twice", "block_alias_twice"),
    case("block-featureid", "block_featureid"),
    case("block-no-description", "block_no_description"),
    case("block-alias-odd", "block_alias_odd"),
    case("block-model-lower", "block_shp", resultModel="om:observation"),
    case("block-model-short", "block_shp", "D-28", expects=(members(1),), resultModel="Observation"),
    case("block-procedure-item", "block_item_shp", procedure="S2,S3"),
    case("block-procedure-item-gpkg", "block_item_gpkg", "D-03", expects=(members(2),), procedure="S2,S3"),
    case("block-procedure-list", "block_shp", procedure="S3"),
    case("block-offering-case", "block_shp", offering="OFF"),
]
