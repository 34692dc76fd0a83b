"""featureOfInterest, bbox, srsName, extents and projections.

See docs/mapserver-sos.md, "featureOfInterest", "bbox", "Default rectangle", "srsName" and "Envelopes".
"""

from __future__ import annotations

from .cases import Case, Expectation, compare, data_block, observations, within_filter
from .expectations import attributes, exception, members, values
from .mapfiles import FIVE_SOURCES, layer, mapfile


def envelope(lower: str, upper: str, attributes: str = "") -> str:
    return (
        f"<gml:Envelope{attributes}><gml:lowerCorner>{lower}</gml:lowerCorner>"
        f"<gml:upperCorner>{upper}</gml:upperCorner></gml:Envelope>"
    )


MERCATOR = {"sos_timeitem": None, "sos_offering_timeextent": None, "sos_VAL_alias": "Value"}


def shapes(name: str, type: str) -> str:
    return mapfile(layer({"sos_timeitem": None, "sos_ID_alias": "id"}, source=f'DATA "{name}"', type=type))


MAPS: dict[str, str] = {
    "space_id": mapfile(layer({"sos_ID_alias": "id"})),
    "space_id_gpkg": mapfile(layer({"sos_ID_alias": "id"}, source=FIVE_SOURCES["gpkg"])),
    "space_extent": mapfile(layer(), extent="-74.6 46 -73 47.5"),
    "space_extent_edge": mapfile(layer(), extent="-75 45 -74.5 46.25"),
    "space_no_extent": mapfile(layer(), extent=None),
    "space_lines": shapes("lines", "LINE"),
    "space_polygons": shapes("polygons", "LINE"),
    "space_mercator": mapfile(layer(MERCATOR, source='DATA "mercator"', projection='"init=epsg:3857"')),
    "space_mercator_map": mapfile(
        layer(MERCATOR, source='DATA "mercator"', projection='"init=epsg:3857"'),
        projection='"init=epsg:3857"',
        extent="-20037508 -20037508 20037508 20037508",
    ),
    "space_zone18": mapfile(layer(MERCATOR, source='DATA "zone18"', projection='"init=epsg:32618"')),
    "space_zone18_map": mapfile(
        layer(
            {**MERCATOR, "sos_offering_extent": "0,0,1000000,6000000"},
            source='DATA "zone18"',
            projection='"init=epsg:32618"',
        ),
        projection='"init=epsg:32618"',
        extent="0 0 1000000 6000000",
    ),
    "space_points_extent": mapfile(layer({"sos_offering_extent": None, "sos_ID_alias": "id"})),
    "space_map_mercator": mapfile(
        layer({"sos_ID_alias": "id"}), projection='"init=epsg:3857"', extent="-20037508 -20037508 20037508 20037508"
    ),
    "space_tolerance": mapfile(layer(extra="TOLERANCE 0 TOLERANCEUNITS DD")),
    "space_bare": mapfile(
        layer(
            {"sos_timeitem": None, "sos_offering_timeextent": None, "sos_ID_alias": "id"},
            source='CONNECTIONTYPE OGR CONNECTION "bare.gpkg" DATA "bare"',
        )
    ),
}


def case(id: str, map: str, *differs: str, expects: tuple[Expectation, ...] = (), **parameters: str | None) -> Case:
    return Case(id, map, observations(**parameters), differs=differs, expects=expects)


def ids(*numbers: int) -> Expectation:
    return values("ms:id", [str(number) for number in numbers])


REFUSED_36 = exception(
    "InvalidParameterValue", "featureofinterest", "Invalid gml:Envelope value given for featureOfInterest"
)

CASES: list[Case] = [
    *(case(f"space-envelope-{name}", name, featureOfInterest=envelope("-76 44", "-74 47")) for name in FIVE_SOURCES),
    case("space-envelope-edge", "space_id", featureOfInterest=envelope("-75 45", "-74.5 46.25")),
    case("space-envelope-point", "space_id", featureOfInterest=envelope("-75 45", "-75 45")),
    case("space-envelope-none", "space_id", featureOfInterest=envelope("100 10", "110 20")),
    case("space-envelope-no-prefix", "space_id", featureOfInterest=envelope("-76 44", "-74 47").replace("gml:", "")),
    case(
        "space-envelope-namespace",
        "space_id",
        featureOfInterest=envelope("-76 44", "-74 47", ' xmlns:gml="http://www.opengis.net/gml"'),
    ),
    case("space-envelope-srs-same", "space_id", featureOfInterest=envelope("-76 44", "-74 47", ' srsName="EPSG:4326"')),
    case(
        "space-envelope-srs-3857",
        "space_id",
        "D-14",
        expects=(ids(1, 2),),
        featureOfInterest=envelope("-8460281 5465442", "-8237642 5942074", ' srsName="EPSG:3857"'),
    ),
    case(
        "space-envelope-urn",
        "space_id",
        "D-14",
        expects=(ids(1, 2),),
        featureOfInterest=envelope("44 -76", "47 -74", ' srsName="urn:ogc:def:crs:EPSG::4326"'),
    ),
    case(
        "space-envelope-commas",
        "space_id",
        "B-22",
        expects=(ids(1, 2),),
        featureOfInterest=envelope("-76,44", "-74,47"),
    ),
    case("space-feature-text", "space_id", "D-25", expects=(REFUSED_36,), featureOfInterest="<somewhere/>"),
    case("space-bbox", "space_id", bbox="-76,44,-74,47"),
    case("space-bbox-gpkg", "space_id_gpkg", bbox="-76,44,-74,47"),
    case("space-bbox-spaces", "space_id", bbox=" -76, 44, -74, 47"),
    case("space-bbox-3", "space_id", bbox="1,2,3"),
    case("space-bbox-none", "space_id", bbox="100,10,110,20"),
    Case("space-block", "block_shp", data_block(featureOfInterest=envelope("-76 44", "-74 47"))),
    case("space-extent", "space_extent"),
    case("space-extent-edge", "space_extent_edge"),
    case("space-no-extent", "space_no_extent", "D-06", expects=(members(5),)),
    case("space-lines", "space_lines", "D-27", featureOfInterest=envelope("-76 45.9", "-74 47")),
    case("space-lines-miss", "space_lines", featureOfInterest=envelope("10 18", "12 20")),
    case("space-polygons", "space_polygons", "D-27", featureOfInterest=envelope("5 -5", "15 5")),
    case("space-polygons-part", "space_polygons", "D-27", featureOfInterest=envelope("65 5", "66 6")),
    case("space-bare", "space_bare", "D-27"),
    case("space-mercator-map", "space_mercator_map", "D-27"),
    case(
        "space-mercator",
        "space_mercator",
        "D-01",
        expects=(values("gml:pos", ["-75.000000 45.000000", "0.000000 0.000000"]),),
    ),
    case("space-zone18-map", "space_zone18_map", "D-27"),
    case(
        "space-zone18",
        "space_zone18",
        "D-01",
        expects=(members(2), attributes("gml:Point", "srsName", ["urn:ogc:crs:epsg:4326"] * 2)),
    ),
    case("space-map-mercator", "space_map_mercator", "D-01", expects=(members(5),)),
    case(
        "space-srs-3857",
        "space_id",
        "D-01",
        srsName="EPSG:3857",
        expects=(members(5), attributes("gml:Point", "srsName", ["urn:ogc:crs:epsg:3857"] * 5)),
    ),
    case("space-srs-same", "space_id", srsName="EPSG:4326"),
    case("space-srs-urn", "space_id", "B-10", srsName="urn:ogc:def:crs:EPSG::4326", expects=(members(5),)),
    case("space-extent-computed", "space_points_extent"),
    case("space-tolerance", "space_tolerance", featureOfInterest=envelope("-76 44", "-74 47")),
    case(
        "space-envelope-result",
        "filter_shp",
        featureOfInterest=envelope("-76 44", "-73 48"),
        result=within_filter(compare("PropertyIsGreaterThan", "id", "1")),
    ),
]
