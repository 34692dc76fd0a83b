"""result: OGC filters in key-value requests (docs/mapserver-sos.md, "result")."""

from __future__ import annotations

from .cases import Case, Expectation, compare, data_block, observations, within_filter
from .cases_measurement import NUMBER_SOURCES
from .expectations import exception, members, values
from .mapfiles import FIVE_SOURCES, ITEM, layer, mapfile

ALIASES = {f"sos_{item}_alias": item.lower() for item in ("ID", "STN", "VAL", "TXT")}

MAPS: dict[str, str] = {
    **{
        f"filter_{name}": mapfile(layer({**ALIASES, "ows_featureid": "ID"}, source=source))
        for name, source in FIVE_SOURCES.items()
    },
    "filter_alias": mapfile(layer({"sos_ID_alias": "VAL", "sos_VAL_alias": "Value"})),
    "filter_type": mapfile(layer({**ALIASES, "ows_ID_type": "Character", "gml_STN_type": "Character"})),
    "filter_featureid_text": mapfile(layer({**ALIASES, "ows_featureid": "STN"})),
    "filter_no_featureid": mapfile(layer(ALIASES)),
    "filter_two_layers": mapfile(layer(ALIASES), layer(ALIASES, name="l2")),
    "filter_two_kinds": mapfile(layer(ALIASES), layer({"sos_DEPTH_alias": "Depth"}, name="l2", source='DATA "other"')),
    "filter_and_filter": mapfile(layer(ALIASES, extra="FILTER ([ID] > 1)")),
    "filter_item": mapfile(layer({**ALIASES, **ITEM})),
    "filter_polygons": mapfile(
        layer({"sos_timeitem": None, "sos_ID_alias": "id"}, source='DATA "polygons"', type="LINE")
    ),
    "filter_lines": mapfile(layer({"sos_timeitem": None, "sos_ID_alias": "id"}, source='DATA "lines"', type="LINE")),
    "filter_dd": mapfile(layer(ALIASES, extra="UNITS DD"), extra="UNITS DD"),
}

EQ, NE, LT, GT, LE, GE = (
    "PropertyIsEqualTo",
    "PropertyIsNotEqualTo",
    "PropertyIsLessThan",
    "PropertyIsGreaterThan",
    "PropertyIsLessThanOrEqualTo",
    "PropertyIsGreaterThanOrEqualTo",
)


def like(name: str, pattern: str, more: str = "", signs: str = "*?!") -> str:
    escape = f' escapeChar="{signs[2]}"'
    return compare("PropertyIsLike", name, pattern, f' wildCard="{signs[0]}" singleChar="{signs[1]}"{escape}{more}')


def between(name: str, low: str, high: str, bare: bool = False) -> str:
    low, high = (low, high) if bare else (f"<ogc:Literal>{low}</ogc:Literal>", f"<ogc:Literal>{high}</ogc:Literal>")
    return (
        f"<ogc:PropertyIsBetween><ogc:PropertyName>{name}</ogc:PropertyName><ogc:LowerBoundary>{low}</ogc:LowerBoundary>"
        f"<ogc:UpperBoundary>{high}</ogc:UpperBoundary></ogc:PropertyIsBetween>"
    )


def spatial(operator: str, geometry: str, more: str = "") -> str:
    return f"<ogc:{operator}><ogc:PropertyName>msGeometry</ogc:PropertyName>{geometry}{more}</ogc:{operator}>"


ENVELOPE = (
    "<gml:Envelope><gml:lowerCorner>-76 44</gml:lowerCorner><gml:upperCorner>-73 48</gml:upperCorner></gml:Envelope>"
)
BOX = '<gml:Box srsName="EPSG:4326"><gml:coordinates>-76,44 -73,48</gml:coordinates></gml:Box>'
POINT = "<gml:Point><gml:pos>-75 45</gml:pos></gml:Point>"
POLYGON = (
    "<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>-76,44 -76,48 -73,48 -73,44 -76,44"
    "</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>"
)
POLYGON_3 = (
    "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>-76 44 -76 48 -73 48 -73 44 -76 44"
    "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
LINE = "<gml:LineString><gml:coordinates>-75,45 -74.5,46.25</gml:coordinates></gml:LineString>"
ENVELOPE_3857 = (
    '<gml:Envelope srsName="EPSG:3857"><gml:lowerCorner>-8460281 5465442</gml:lowerCorner>'
    "<gml:upperCorner>-8126322 6106855</gml:upperCorner></gml:Envelope>"
)

COMPARISONS: dict[str, str] = {
    "eq-number": compare(EQ, "id", "2"),
    "eq-number-decimal": compare(EQ, "id", "2.0"),
    "eq-real": compare(EQ, "val", "89.9"),
    "ne-number": compare(NE, "id", "2"),
    "lt-number": compare(LT, "id", "3"),
    "gt-number": compare(GT, "id", "3"),
    "le-number": compare(LE, "id", "3"),
    "ge-number": compare(GE, "id", "3"),
    "gt-real": compare(GT, "val", "0.3"),
    "eq-text": compare(EQ, "stn", "S2"),
    "eq-text-case": compare(EQ, "stn", "s2"),
    "eq-text-nocase": compare(EQ, "stn", "s2", ' matchCase="false"'),
    "ne-text": compare(NE, "stn", "S2"),
    "lt-text": compare(LT, "stn", "S2"),
    "ge-text": compare(GE, "stn", "S2"),
    "eq-cjk": compare(EQ, "txt", "漢字"),
    "eq-markup": compare(EQ, "txt", "café &amp; &lt;b&gt; \"q\" 'a'"),
    "eq-cdata": compare(EQ, "txt", "<![CDATA[plain text]]>"),
    "eq-raw-column": compare(EQ, "TISO", "2002-01-01T00:00:00Z"),
    "eq-column-case": compare(EQ, "Id", "2"),
    "eq-prefixed": compare(EQ, "ms:id", "2"),
    "between-number": between("id", "2", "4"),
    "between-bare": between("id", "2", "4", bare=True),
    "between-text": between("stn", "S2", "S9"),
    "like-run": like("txt", "plain*"),
    "like-middle": like("txt", "*n t*"),
    "like-one": like("stn", "S?"),
    "like-none": like("stn", "plain"),
    "like-signs": like("stn", "S%", signs="%_#"),
    "like-nocase": like("stn", "s*", ' matchCase="false"'),
    "like-case": like("stn", "s*"),
    "and": f"<ogc:And>{compare(GT, 'id', '1')}{compare(LT, 'id', '4')}</ogc:And>",
    "and-three": f"<ogc:And>{compare(GT, 'id', '1')}{compare(LT, 'id', '4')}{compare(EQ, 'stn', 'S2')}</ogc:And>",
    "or": f"<ogc:Or>{compare(EQ, 'id', '1')}{compare(EQ, 'stn', 'S3')}</ogc:Or>",
    "not": f"<ogc:Not>{compare(EQ, 'stn', 'S1')}</ogc:Not>",
    "nested": f"<ogc:Or><ogc:And>{compare(GT, 'id', '1')}<ogc:Not>{compare(EQ, 'stn', 'S2')}</ogc:Not></ogc:And>"
    f"{like('txt', 'café*')}</ogc:Or>",
    "none": compare(EQ, "id", "99"),
    "bbox-envelope": spatial("BBOX", ENVELOPE),
    "bbox-box": spatial("BBOX", BOX),
    "intersects-polygon": spatial("Intersects", POLYGON),
    "within-polygon": spatial("Within", POLYGON_3),
    "disjoint": spatial("Disjoint", POLYGON),
    "equals-point": spatial("Equals", POINT),
    "intersects-line": spatial("Intersects", LINE),
    "bbox-and": f"<ogc:And>{spatial('BBOX', ENVELOPE)}{compare(GT, 'id', '1')}</ogc:And>",
    "feature-id": '<ogc:FeatureId fid="l1.2"/>',
    "feature-ids": '<ogc:FeatureId fid="l1.2"/><ogc:FeatureId fid="4"/>',
    "feature-id-gml": '<ogc:GmlObjectId gml:id="o.3"/>',
    "feature-id-none": '<ogc:FeatureId fid="l1.99"/>',
}


def case(
    id: str, map: str, inner: str, *differs: str, expects: tuple[Expectation, ...] = (), **parameters: str | None
) -> Case:
    return Case(id, map, observations(result=within_filter(inner), **parameters), differs=differs, expects=expects)


CASES: list[Case] = [
    *(case(f"filter-{kind}-shp", "filter_shp", inner) for kind, inner in COMPARISONS.items()),
    *(
        case(f"filter-{kind}-{name}", f"filter_{name}", COMPARISONS[kind])
        for name in ("gpkg", "geojson", "fgb", "sqlite")
        for kind in (
            "eq-number",
            "gt-real",
            "eq-text-nocase",
            "between-number",
            "like-run",
            "nested",
            "within-polygon",
            "feature-id",
        )
    ),
    *(case(f"filter-{kind}-csv", "filter_csv", COMPARISONS[kind]) for kind in ("eq-text", "like-one", "bbox-envelope")),
    case("filter-eq-number-csv", "filter_csv", COMPARISONS["eq-number"], "B-14", expects=(values("ms:id", ["2"]),)),
    case(
        "filter-gt-real-csv", "filter_csv", COMPARISONS["gt-real"], "B-14", expects=(values("ms:id", ["1", "4", "5"]),)
    ),
    case("filter-feature-id-csv", "filter_csv", COMPARISONS["feature-id"], "B-14", expects=(values("ms:id", ["2"]),)),
    Case(
        "filter-no-namespace",
        "filter_shp",
        observations(
            result="<Filter><PropertyIsEqualTo><PropertyName>id</PropertyName><Literal>2</Literal></PropertyIsEqualTo></Filter>"
        ),
    ),
    Case(
        "filter-undeclared-prefix",
        "filter_shp",
        observations(
            result="<ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>id</ogc:PropertyName><ogc:Literal>2</ogc:Literal>"
            "</ogc:PropertyIsEqualTo></ogc:Filter>"
        ),
    ),
    Case("filter-block", "filter_shp", data_block(result=within_filter(compare(LT, "id", "3"))), differs=("D-16b",)),
    case("filter-alias-first", "filter_alias", compare(EQ, "Value", "89.9")),
    case("filter-type-character", "filter_type", compare(LT, "id", "10")),
    case("filter-featureid-text", "filter_featureid_text", '<ogc:FeatureId fid="l1.S2"/>'),
    case("filter-no-featureid", "filter_no_featureid", '<ogc:FeatureId fid="l1.2"/>', "D-14d", expects=(members(0),)),
    case("filter-two-layers", "filter_two_layers", compare(EQ, "id", "2")),
    case(
        "filter-two-kinds",
        "filter_two_kinds",
        compare(GT, "Depth", "11"),
        "D-07",
        expects=(values("ms:Depth", ["12"]),),
    ),
    case("filter-and-filter", "filter_and_filter", compare(LT, "id", "4")),
    case("filter-with-procedure", "filter_item", compare(GT, "id", "1"), procedure="S1"),
    case(
        "filter-polygons",
        "filter_polygons",
        spatial("Intersects", "<gml:Point><gml:pos>0 5</gml:pos></gml:Point>"),
        "D-27",
    ),
    case(
        "filter-lines-crosses",
        "filter_lines",
        spatial("Crosses", "<gml:LineString><gml:coordinates>10,20 20,10</gml:coordinates></gml:LineString>"),
        "D-27",
    ),
    case(
        "filter-lines-touches",
        "filter_lines",
        spatial("Touches", "<gml:LineString><gml:coordinates>20,20 30,10</gml:coordinates></gml:LineString>"),
        "D-27",
    ),
    case("filter-dwithin", "filter_dd", spatial("DWithin", POINT, "<ogc:Distance units='dd'>1.5</ogc:Distance>")),
    case("filter-beyond", "filter_dd", spatial("Beyond", POINT, "<ogc:Distance units='dd'>1.5</ogc:Distance>")),
    case("filter-bbox-3857", "filter_shp", spatial("BBOX", ENVELOPE_3857)),
    case(
        "filter-bbox-urn",
        "filter_shp",
        spatial(
            "BBOX",
            '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>44 -76</gml:lowerCorner>'
            "<gml:upperCorner>48 -73</gml:upperCorner></gml:Envelope>",
        ),
        "D-14",
        expects=(members(3),),
    ),
    case("filter-bbox-and-feature", "filter_shp", compare(GT, "id", "1"), featureOfInterest=ENVELOPE),
    case("filter-and-bbox", "filter_shp", compare(GT, "id", "1"), "D-14", expects=(members(2),), bbox="-76,44,-73,48"),
    case(
        "filter-null-shp",
        "filter_shp",
        "<ogc:PropertyIsNull><ogc:PropertyName>val</ogc:PropertyName></ogc:PropertyIsNull>",
        "D-14b",
        expects=(members(1),),
    ),
    case(
        "filter-null-gpkg",
        "filter_gpkg",
        "<ogc:PropertyIsNull><ogc:PropertyName>val</ogc:PropertyName></ogc:PropertyIsNull>",
        "D-14b",
        expects=(members(1),),
    ),
    case("filter-zero-shp", "numbers_shp", compare(EQ, "x", "0"), "D-14b", expects=(values("ms:id", ["3", "6"]),)),
    case("filter-zero-gpkg", "numbers_gpkg", compare(EQ, "x", "0"), "D-27"),
    *(
        case(f"filter-large-{name}", f"numbers_{name}", compare(GT, "x", "99"), "D-27")
        for name in NUMBER_SOURCES
        if name != "csv"
    ),
    case("filter-large-csv", "numbers_csv", compare(GT, "x", "99"), "B-14", expects=(values("ms:id", ["2", "4"]),)),
    case("filter-negative", "numbers_gpkg", compare(LT, "x", "-1e1"), "D-27"),
    case("filter-text-number", "numbers_shp", compare(EQ, "s", "0"), "D-14b", expects=(values("ms:id", ["7"]),)),
    case("filter-quote-shp", "numbers_shp", compare(EQ, "s", "it's"), "D-27"),
    case("filter-quote-gpkg", "numbers_gpkg", compare(EQ, "s", "it's"), "D-27"),
    case("filter-backslash", "numbers_shp", compare(EQ, "s", "a\\b"), "D-27"),
    case("filter-brackets", "numbers_shp", compare(EQ, "s", "[S]"), "B-18", expects=(members(0),)),
    *(
        case(f"filter-like-dot-{name}", f"numbers_{name}", like("s", "a.*"), "D-27")
        for name in NUMBER_SOURCES
        if name not in ("gpkg", "sqlite")
    ),
    case("filter-like-dot-gpkg", "numbers_gpkg", like("s", "a.*"), "D-35", expects=(values("ms:s", ["a.b"]),)),
    case("filter-like-escaped-shp", "numbers_shp", like("s", "a!*b"), "D-27"),
    case("filter-like-escaped-gpkg", "numbers_gpkg", like("s", "a!*b"), "D-35", expects=(values("ms:s", ["a*b"]),)),
    case("filter-like-quote-shp", "numbers_shp", like("s", "it's*"), "D-27"),
    case("filter-like-quote-gpkg", "numbers_gpkg", like("s", "it's*"), "D-32b", expects=(values("ms:s", ["it's"]),)),
    case("filter-like-injection", "numbers_gpkg", like("s", "S1' or '1'='1"), "D-32b", expects=(members(0),)),
    case("filter-unknown-name", "filter_two_layers", compare(EQ, "nope", "2")),
    case(
        "filter-unknown-name-nested",
        "filter_shp",
        f"<ogc:And>{compare(EQ, 'id', '2')}{compare(EQ, 'nope', '2')}</ogc:And>",
    ),
    case(
        "filter-arithmetic",
        "filter_shp",
        "<ogc:PropertyIsEqualTo><ogc:PropertyName>id</ogc:PropertyName><ogc:Add><ogc:Literal>1</ogc:Literal>"
        "<ogc:Literal>1</ogc:Literal></ogc:Add></ogc:PropertyIsEqualTo>",
        "B-24",
        expects=(exception("InvalidParameterValue", "result"),),
    ),
    case(
        "filter-one-operand",
        "filter_shp",
        f"<ogc:Or>{compare(EQ, 'id', '2')}</ogc:Or>",
        "D-26",
        expects=(members(1),),
    ),
    case(
        "filter-unknown-operator",
        "filter_shp",
        "<ogc:PropertyIsOdd><ogc:PropertyName>id</ogc:PropertyName></ogc:PropertyIsOdd>",
    ),
    case("filter-empty-literal", "filter_shp", compare(EQ, "txt", "")),
]
