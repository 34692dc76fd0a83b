"""The works, by name: what is timed and what is demanded of it."""

from __future__ import annotations

from functools import partial

from benchmarks.measuring import (
    LISTED,
    Bench,
    FirstByteWork,
    MemoryWork,
    ModeWork,
    ProcessWork,
    WarmWork,
    WebWork,
    all_features,
)
from tests.support.maps import (
    CAPABILITIES,
    DATABLOCK,
    MEASUREMENT,
    OBSERVATIONS,
    REST_OBSERVATIONS,
    SENSOR,
    STRICT,
    MapLayer,
    ask_table,
)
from tests.support.observations import STATIONS

Work = ProcessWork | MemoryWork | ModeWork | WarmWork | FirstByteWork | WebWork

WEEK_ROWS = 7 * 24
STATION = "S077"
IS_STATION = (
    "<Filter><PropertyIsEqualTo><PropertyName>station</PropertyName>"
    f"<Literal>{STATION}</Literal></PropertyIsEqualTo></Filter>"
)
"""What mapserv is asked instead: with procedure= it finds nothing in a GeoPackage."""


def large_rows(bench: Bench) -> int:
    """The ten million."""
    return bench.large_rows


def ask_week(bench: Bench) -> str:
    """One week of all stations in the middle of the ten million."""
    return _ask_middle(bench.large_rows)


def ask_small(bench: Bench) -> str:
    """One week of one station in the middle of the data: 168 observations."""
    return f"{_ask_middle(bench.rows)}&procedure={STATION}"


def _ask_middle(rows: int) -> str:
    import datetime

    first = datetime.datetime(2001, 1, 1) + datetime.timedelta(hours=rows // STATIONS // 2)
    # Not on the hour: mapserv compares times of a GeoPackage as text, and takes one at the end for a later one.
    last = first + datetime.timedelta(hours=WEEK_ROWS, minutes=-30)
    period = (
        f"<gml:TimePeriod><gml:beginPosition>{first:%Y-%m-%dT%H:%M:%SZ}</gml:beginPosition>"
        f"<gml:endPosition>{last:%Y-%m-%dT%H:%M:%SZ}</gml:endPosition></gml:TimePeriod>"
    )
    return f"{OBSERVATIONS}&eventTime={period}"


def ask_box(bench: Bench) -> str:
    """A box with about as many observations: a square near the home of a station that drifts 5 degrees each way."""
    side = 10 * (WEEK_ROWS * STATIONS / bench.large_rows) ** 0.5
    west, south = BOX_AT
    return f"{OBSERVATIONS}&bbox={west:.4f},{south:.4f},{west + side:.4f},{south + side:.4f}"


BOX_AT = (105.0, -74.5)
"""Inside the 10 degrees that station S000 drifts in (its home is 107.109, -72.7838)."""


CGI_PROCESS = "/mapsos( |$)"
"""What the command line of a CGI process of mapsos looks like; each way to start it has a worker of its own."""

POINTS = MapLayer("points", 0)
DRIFTING = MapLayer("drifting", 0)

REPROJECTED = ProcessWork(
    "process: om:Measurement, {rows}, EPSG:3857 to 4326",
    MEASUREMENT,
    MapLayer("mercator", 0),
    their_layer=POINTS,
    faster=20,
    note="mapserv without reprojection",
)

DAILY = "&aggregateInterval=P1D&timezone=Europe/Berlin"


def _ask(response_format: str, bench: Bench, more: str = "") -> str:
    return ask_table(response_format, more)


WORKS: dict[str, Work] = {
    "measurement-gpkg": ProcessWork(
        "process: om:Measurement, {rows}, GeoPackage",
        MEASUREMENT,
        POINTS,
        faster=50,
        together=(("reprojected", REPROJECTED),),
    ),
    "measurement-gpkg-few": ProcessWork(
        "process: the same, columns of few distinct values only",
        MEASUREMENT,
        MapLayer("points", 0, ("station", "air_temp", "humidity")),
    ),
    "measurement-gpkg-distinct": ProcessWork(
        "process: the same, times, temperatures and positions all distinct",
        MEASUREMENT,
        MapLayer("distinct", 0),
    ),
    "measurement-shp": ProcessWork(
        "process: om:Measurement, {rows}, shapefile", MEASUREMENT, MapLayer("points_shapefile", 0), faster=20
    ),
    "measurement-fgb": ProcessWork(
        "process: om:Measurement, {rows}, FlatGeobuf", MEASUREMENT, MapLayer("points_flatgeobuf", 0), faster=20
    ),
    "measurement-large": MemoryWork(
        "process: om:Measurement, {rows}, GeoPackage", MEASUREMENT, DRIFTING, "measurement-gpkg-distinct"
    ),
    "datablock-gpkg": ProcessWork(
        f"process: om:Observation, {{rows}}, 4 fields, {STATIONS} procedures, GeoPackage", DATABLOCK, POINTS, faster=8
    ),
    "datablock-shp": ProcessWork(
        "process: om:Observation, {rows}, shapefile", DATABLOCK, MapLayer("points_shapefile", 0), faster=2
    ),
    "datablock-large": MemoryWork("process: om:Observation, {rows}, GeoPackage", DATABLOCK, DRIFTING, "datablock-gpkg"),
    "measurement-strict": ModeWork(
        "process: om:Measurement, {rows}, valid (sos_conformance strict)", MEASUREMENT, STRICT, POINTS, 1.5
    ),
    "datablock-strict": ModeWork(
        "process: om:Observation, {rows}, valid (sos_conformance strict)", DATABLOCK, STRICT, POINTS, 1.5
    ),
    "lines": ProcessWork(
        "process: om:Measurement, {rows} lines of 50 vertices",
        MEASUREMENT,
        MapLayer("lines", 0),
        all_features,
        faster=20,
    ),
    "polygons": ProcessWork(
        "process: om:Measurement, {rows} polygons of 50 vertices",
        MEASUREMENT,
        MapLayer("polygons", 0),
        all_features,
        faster=20,
    ),
    "reprojected": REPROJECTED,
    "capabilities-cold": ProcessWork(
        "process: GetCapabilities, {rows}, sos_procedure_item, no extents",
        CAPABILITIES,
        MapLayer("points", 0, extents=False),
        faster=20,
        forget=True,
    ),
    "capabilities-shp": ProcessWork(
        "process: the same from a shapefile",
        CAPABILITIES,
        MapLayer("points_shapefile", 0, extents=False),
        forget=True,
    ),
    "capabilities-warm": WarmWork(
        "in process: GetCapabilities, {rows}, again",
        MapLayer("points", 0, extents=False),
        lambda bench: CAPABILITIES,
        0.002,
        times=200,
    ),
    "small-question": WarmWork(
        "in process: one station, one week of 168 observations out of {rows}, again",
        POINTS,
        ask_small,
        0.010,
        times=500,
    ),
    **{
        f"table-{name}": WarmWork(
            f"in process: {title}, {{rows}}, GeoPackage", POINTS, partial(_ask, response_format), seconds, times=5
        )
        for name, title, response_format, seconds in (
            ("csv", "CSV", "text/csv", 1.5),
            ("json", "JSON", "application/json", 2.0),
            ("geojson", "GeoJSON", "application/geo+json", 2.5),
            ("parquet", "Parquet", "application/vnd.apache.parquet", 2.0),
            ("arrow", "Arrow", "application/vnd.apache.arrow.stream", 1.0),
        )
    },
    "rest": WarmWork(
        "in process: JSON of the REST interface, {rows}, GeoPackage",
        POINTS,
        lambda bench: REST_OBSERVATIONS,
        3.0,
        times=5,
    ),
    "summary": WarmWork(
        "in process: CSV, daily averages of {rows}, GeoPackage",
        POINTS,
        partial(_ask, "text/csv", more=DAILY),
        1.5,
        times=5,
        forget=True,
    ),
    "summary-kept": WarmWork(
        "in process: the same, kept from the answer before",
        POINTS,
        partial(_ask, "text/csv", more=DAILY),
        None,
        times=5,
    ),
    "first-byte": FirstByteWork("mapsos serve: first byte of om:Measurement, {rows}", POINTS, MEASUREMENT, 0.150),
    "station-week": WarmWork(
        "in process: one station, one week out of {rows}",
        DRIFTING,
        lambda bench: f"{ask_week(bench)}&procedure={STATION}",
        0.020,
        large_rows,
        lambda bench: f"{ask_week(bench)}&result={IS_STATION}",
    ),
    "box": WarmWork("in process: a small bounding box out of {rows}", DRIFTING, ask_box, 0.020, large_rows, ask_box),
}


def _add_web_works() -> None:
    operations = {
        "capabilities": ("GetCapabilities", CAPABILITIES),
        "sensor": ("DescribeSensor", SENSOR),
        "observations": ("GetObservation of 500", OBSERVATIONS),
    }
    ways = {
        "cgi": ("CGI", "/mapsos", rf"{CGI_PROCESS}|-IS \S*run_worker", 1.0),
        "cgi-command": ("CGI, the plain command", "/command/mapsos", rf"{CGI_PROCESS}|-SP \S*run_worker", None),
        "cgi-alone": ("CGI without worker", "/alone/mapsos", CGI_PROCESS, None),
    }
    for way, (title, path, process, faster) in ways.items():
        for name, (operation, query) in operations.items():
            for clients in (1, 4) if way != "cgi-command" else (1,):
                plural = "client" if clients == 1 else "clients"
                WORKS[f"{way}-{name}-{clients}"] = WebWork(
                    f"Apache: {operation}, {title}, {clients} {plural}",
                    query,
                    path,
                    "/mapserv",
                    process,
                    clients,
                    faster=faster,
                )
    demands = {"capabilities": 2.0, "observations": 5.0}
    for way, title, path, process in (
        ("gunicorn", "gunicorn", "/gunicorn", "bin/gunicorn"),
        ("wsgi", "mod_wsgi", "/wsgi", "mapsos-wsgi"),
    ):
        for name, faster in demands.items():
            operation, query = operations[name]
            for their_map, beside in (("web", ""), (LISTED, " with listed procedures")):
                WORKS[f"{way}-{name}{'-listed' if beside else ''}"] = WebWork(
                    f"Apache: {operation}, {title} to mod_fcgid{beside}, 4 clients",
                    query,
                    path,
                    "/fcgi/mapserv",
                    process,
                    4,
                    rate=True,
                    faster=faster,
                    their_map=their_map,
                )


_add_web_works()
