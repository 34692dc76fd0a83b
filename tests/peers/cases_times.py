"""eventTime in key-value requests (docs/mapserver-sos.md, "eventTime")."""

from __future__ import annotations

from .cases import Case, Expectation, data_block, observations, period
from .expectations import any_exception, exception, members, values
from .mapfiles import FIVE_SOURCES, layer, mapfile, without

TWELVE_META = {
    "sos_timeitem": "T",
    "sos_offering_timeextent": None,
    "sos_N_alias": "n",
    **without(["sos_VAL_alias", "sos_TXT_alias", "sos_TISO_alias"]),
}

TWELVE_SOURCES = {
    "shp": 'DATA "twelve"',
    **{ext: f'CONNECTIONTYPE OGR CONNECTION "twelve.{ext}" DATA "twelve"' for ext in ("gpkg", "geojson", "fgb")},
    "csv": 'CONNECTIONTYPE OGR CONNECTION "twelve.vrt" DATA "twelve"',
}


def with_extent(text: str | None) -> str:
    return mapfile(layer({"sos_offering_timeextent": text, "sos_ID_alias": "id"}))


MAPS: dict[str, str] = {
    **{f"twelve_{name}": mapfile(layer(TWELVE_META, source=source)) for name, source in TWELVE_SOURCES.items()},
    **{
        f"stamp_{name}": mapfile(
            layer({"sos_timeitem": "TDT", "sos_offering_timeextent": None, "sos_ID_alias": "id"}, source=source)
        )
        for name, source in FIVE_SOURCES.items()
        if name not in ("csv", "shp")
    },
    **{
        f"date_{name}": mapfile(
            layer({"sos_timeitem": "TD", "sos_offering_timeextent": None, "sos_ID_alias": "id"}, source=source)
        )
        for name, source in FIVE_SOURCES.items()
        if name != "csv"
    },
    "times_extent": with_extent("1990-01-01/2004-12-31"),
    "times_extent_years": with_extent("1990/2004"),
    "times_extent_open": with_extent("1990/"),
    "times_extent_begin": with_extent("1990"),
    "times_no_item": mapfile(layer({"sos_timeitem": None})),
    "times_unknown_item": mapfile(layer({"sos_timeitem": "NOPE"})),
    "times_no_extent": mapfile(layer({"sos_ID_alias": "id"}), extent=None),
    "times_two_layers": mapfile(
        layer({"sos_offering_timeextent": None, "sos_ID_alias": "id"}),
        layer({"sos_offering_timeextent": None, "sos_timeitem": None, "sos_ID_alias": "id"}, name="l2"),
    ),
    "times_filtered": mapfile(
        layer({"sos_offering_timeextent": None, "sos_ID_alias": "id"}, extra="FILTER ([ID] != 2)")
    ),
}

YEAR = period("2001", "2002")
HOUR = period("2001-10-30T14:00:00Z", "2001-10-30T15:00:00Z")
DAY = period("2001-10-30", "2001-10-30")


def n(*numbers: int) -> Expectation:
    return values("ms:n", [str(number) for number in numbers])


def ids(*numbers: int) -> Expectation:
    return values("ms:id", [str(number) for number in numbers])


def case(
    id: str, map: str, time: str, *differs: str, expects: tuple[Expectation, ...] = (), **more: str | None
) -> Case:
    return Case(id, map, observations(eventTime=time, **more), differs=differs, expects=expects)


REFUSED = exception("InvalidParameterValue", "eventtime", "Invalid time value given for the eventTime parameter")

CASES: list[Case] = [
    *(
        case(f"times-year-{name}", f"twelve_{name}", YEAR, "D-06", expects=(n(0, 1, 2, 3, 4, 5, 6, 7, 8),))
        for name in TWELVE_SOURCES
    ),
    *(case(f"times-hour-{name}", f"twelve_{name}", HOUR) for name in TWELVE_SOURCES if name not in ("gpkg", "fgb")),
    case("times-hour-gpkg", "twelve_gpkg", HOUR, "D-06", expects=(n(0, 1, 2, 3),)),
    *(
        case(f"times-day-{name}", f"twelve_{name}", DAY, "D-06", expects=(n(0, 1, 2, 3, 4, 7),))
        for name in TWELVE_SOURCES
    ),
    *(case(f"times-reversed-{name}", f"twelve_{name}", period("2002", "2001")) for name in ("shp", "gpkg")),
    *(
        case(f"times-seconds-{name}", f"twelve_{name}", period("2001-10-30T14:24:55", "2001-10-30T14:24:55Z"))
        for name in ("shp", "geojson", "csv")
    ),
    case("times-wide", "twelve_shp", period("1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z")),
    case("times-none", "twelve_shp", period("1900-01-01", "1901-01-01")),
    case("times-equals-wrapped", "shp", f"<ogc:TM_Equals>{HOUR}</ogc:TM_Equals>"),
    case("times-equals-bare", "shp", f"<TM_Equals>{HOUR}</TM_Equals>"),
    case("times-no-prefix", "shp", HOUR.replace("gml:", "")),
    case("times-list", "shp", f"{HOUR},{period('2003-06-01', '2003-07-01')}"),
    case("times-list-partly-bad", "shp", f"{HOUR},nonsense", "B-09", expects=(REFUSED,)),
    *(
        case(f"times-stamp-{ext}", f"stamp_{ext}", period("2001-10-30T14:24:55Z", "2002-01-01T00:00:00Z"))
        for ext in ("geojson", "fgb", "sqlite")
    ),
    case(
        "times-stamp-gpkg",
        "stamp_gpkg",
        period("2001-10-30T14:24:55Z", "2002-01-01T00:00:00Z"),
        "D-06",
        expects=(ids(1, 2, 3),),
    ),
    *(
        case(f"times-date-{ext}", f"date_{ext}", period("2001-10-30", "2002-01-01"))
        for ext in ("shp", "geojson", "fgb", "sqlite")
    ),
    case("times-date-gpkg", "date_gpkg", period("2001-10-30", "2002-01-01"), "D-06", expects=(ids(1, 2, 3),)),
    case("times-inside-extent", "times_extent", HOUR),
    case("times-outside-extent", "times_extent", period("2005-01-01", "2006-01-01")),
    case("times-before-extent", "times_extent", period("1980-01-01", "1981-01-01")),
    case("times-extent-years", "times_extent_years", period("2001-10-30T00:00:00Z", "2001-10-30T23:00:00Z")),
    case("times-extent-open", "times_extent_open", HOUR, "D-06", expects=(ids(1),)),
    case("times-extent-begin", "times_extent_begin", HOUR, "D-06", expects=(ids(1),)),
    case("times-no-item", "times_no_item", HOUR, "D-27"),
    case("times-unknown-item", "times_unknown_item", HOUR, "B-23", expects=(any_exception,)),
    case("times-no-map-extent", "times_no_extent", HOUR, "D-06", expects=(ids(1),)),
    case("times-two-layers", "times_two_layers", HOUR, "D-27"),
    case("times-and-filter", "times_filtered", period("2001-10-30T00:00:00Z", "2002-06-01T00:00:00Z")),
    Case("times-block", "block_shp", data_block(eventTime=HOUR)),
    case(
        "times-instant",
        "shp",
        "<gml:TimeInstant><gml:timePosition>2001-10-30T14:24:55Z</gml:timePosition></gml:TimeInstant>",
        "D-04",
        expects=(members(1),),
    ),
    case(
        "times-attributes",
        "shp",
        HOUR.replace("<gml:TimePeriod>", '<gml:TimePeriod gml:id="t1">'),
        "D-05",
        expects=(members(1),),
    ),
    case(
        "times-namespaces",
        "shp",
        HOUR.replace("<gml:TimePeriod>", '<gml:TimePeriod xmlns:gml="http://www.opengis.net/gml">'),
        "D-05",
        expects=(members(1),),
    ),
    case(
        "times-after",
        "shp",
        f"<ogc:TM_After><ogc:PropertyName>t</ogc:PropertyName>{HOUR}</ogc:TM_After>",
        "D-05",
        expects=(members(4),),
    ),
    case(
        "times-before",
        "shp",
        f"<ogc:TM_Before><ogc:PropertyName>t</ogc:PropertyName>{period('2002-01-01', '2003-01-01')}</ogc:TM_Before>",
        "D-05",
        expects=(members(2),),
    ),
    case("times-iso-period", "shp", "2001-10-30T00:00:00Z/2001-10-31T00:00:00Z", "D-05", expects=(members(2),)),
    case("times-iso-instant", "shp", "2001-10-30T14:24:55Z", "D-05", expects=(members(1),)),
    case(
        "times-injection-backtick",
        "twelve_shp",
        period("2001-10-30T14:24:55Z` or 1=1 or `[t]` = `2001", "2002"),
        "D-32",
        expects=(REFUSED,),
    ),
    case(
        "times-injection-gpkg",
        "twelve_gpkg",
        period("2001-10-30T14:24:55Z` or 1=1 or `[t]` = `2001", "2002"),
        "D-32",
        expects=(REFUSED,),
    ),
    case("times-lone-backtick", "twelve_shp", period("2001-10-30`", "2002"), "D-32", expects=(REFUSED,)),
    case("times-quote", "shp", period("2001-10-30'", "2002"), "D-32", expects=(REFUSED,)),
]
