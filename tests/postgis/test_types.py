"""Every type, and all that rows can be selected from, by both connection types: as the same rows in a GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.times import parse_period, parse_time
from tests.support.postgresql import Cluster

from .conftest import COMMON, by_ogr, by_postgis

TABLE = '"Mess Netz"."Beobachtungen ""ü"" 1"'
FORMS = {
    "postgis-table": lambda c: by_postgis(c, TABLE, more="USING UNIQUE key USING SRID=4326"),
    "postgis-view": lambda c: by_postgis(c, '"Mess Netz".seen'),
    "postgis-materialized": lambda c: by_postgis(c, '"Mess Netz".kept', more=""),
    "postgis-partitioned": lambda c: by_postgis(c, '"Mess Netz".parted'),
    "postgis-geography": lambda c: by_postgis(c, '"Mess Netz".round'),
    "postgis-subquery": lambda c: by_postgis(
        c, f"(SELECT * FROM {TABLE} WHERE key > 0) AS x", '"geom"', 'USING UNIQUE "key" USING SRID=4326'
    ),
    "postgis-with": lambda c: by_postgis(c, f"(WITH w AS (SELECT * FROM {TABLE}) SELECT * FROM w) AS x"),
    "postgis-search-path": lambda c: by_postgis(f"{c} options='-c search_path=\"Mess\\\\ Netz\",public'", "seen"),
    "ogr-table": lambda c: by_ogr(c, 'Mess Netz.Beobachtungen "ü" 1'),
    "ogr-view": lambda c: by_ogr(c, "Mess Netz.seen"),
    "ogr-materialized": lambda c: by_ogr(c, "Mess Netz.kept"),
    "ogr-partitioned": lambda c: by_ogr(c, "Mess Netz.parted"),
    "ogr-geography": lambda c: by_ogr(c, "Mess Netz.round"),
    "ogr-select": lambda c: by_ogr(c, f"SELECT * FROM {TABLE};"),
    "ogr-active-schema": lambda c: by_ogr(f"{c} active_schema='Mess Netz'", "seen"),
}


@pytest.fixture(params=FORMS)
def source(request: pytest.FixtureRequest, connection: str) -> LayerSource:
    """The rows, in every form."""
    return FORMS[request.param](connection)


def read_texts(source: LayerSource, columns: tuple[str, ...]) -> list[tuple[str | None, ...]]:
    """The rows in the order of their keys."""
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, texts=("key", *columns), geometry=True))
    assert batch.geometry is not None
    points = map(str, batch.geometry.point_coordinates().tolist())  # type: ignore[union-attr]
    return sorted(zip(*(batch.texts[name].to_pylist() for name in ("key", *columns)), points, strict=True))


def test_rows_are_those_of_a_geopackage(source: LayerSource, geopackage: LayerSource) -> None:
    expected = read_texts(geopackage, COMMON[1:])
    found = read_texts(source, COMMON[1:])
    # A timestamp without zone has none in its text, as GDAL has it; a GeoPackage's are all UTC.
    naive = COMMON.index("naive")
    without = [(*row[:naive], row[naive] and row[naive].removesuffix("Z"), *row[naive + 1 :]) for row in expected]
    assert found == without


OTHERS = {
    "exact": ("1.10", "-0.05", "99999999.99", "0.00", None),
    "loose": ("12345678901234567890.10", "0.000", "-7", "0.001", None),
    "single": ("1.5", "0.1", "3.25", "-2", None),
    "fixed": ("abc", "a", "it's", "ü", None),
    "clock": ("14:24:55", "00:00:00", "23:59:59", "12:00:00", None),
    "words": ("(2:a,b)", None, '(2:x,y,")', "(1:ü)", None),
    "counts": ("(2:1,2)", "(0:)", "(1:-1)", "(1:2147483647)", None),
    "doc": ('{"a": 1}', "[]", '"x"', "{}", None),
    "code": ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "00000000-0000-0000-0000-000000000000", None, None, None),
    'Odd "Name" °': ("S1", "s1", "x", "ü", None),
}


def test_types_that_only_postgresql_has(source: LayerSource) -> None:
    rows = read_texts(source, tuple(OTHERS))
    assert {name: tuple(row[place] for row in rows) for place, name in enumerate(OTHERS, 1)} == OTHERS


DAYS = ("1899-01-01", "1969-12-31", "1970-01-01")
DAYS_QUERY = (
    "SELECT n, day, ST_SetSRID(ST_MakePoint(n, n), 4326) AS geom FROM (VALUES "
    f"{', '.join(f'({number}, DATE {day!r})' for number, day in enumerate(DAYS))}) AS v (n, day)"
)


@pytest.mark.parametrize("form", ["postgis", "ogr"])
def test_days_before_1970(form: str, connection: str) -> None:
    """The stream of GDAL 3.6 delivers the day after each."""
    if form == "ogr":
        source = by_ogr(connection, DAYS_QUERY)
    else:
        source = by_postgis(connection, f"({DAYS_QUERY}) AS days", more="USING UNIQUE n USING SRID=4326")
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, texts=("day",)))
        (found,) = layer.read(LayerQuery(source, texts=("n",), predicate=period("1969-12-31/1969-12-31", column="day")))
        newest = layer.extreme_times("day", None, p.Compare("n", "<", "2"))
    assert batch.texts["day"].to_pylist() == list(DAYS)
    assert found.texts["n"].to_pylist() == ["1"]
    assert newest[""].begin == parse_time("1969-12-31").begin


SETTINGS = {
    "TimeZone": "Asia/Kolkata",
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
}


@pytest.fixture(params=["ROLE reader", "DATABASE postgres", "ROLE reader IN DATABASE postgres"])
def _odd_session(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[None]:
    """A session whose settings change every text that a server writes."""
    cluster.run("".join(f"ALTER {request.param} SET {name} = '{value}';" for name, value in SETTINGS.items()))
    yield
    cluster.run(f"ALTER {request.param} RESET ALL")


@pytest.mark.usefixtures("_odd_session")
@pytest.mark.parametrize("form", ["postgis-table", "ogr-table", "ogr-select"])
def test_settings_of_role_and_database_change_nothing(form: str, connection: str, geopackage: LayerSource) -> None:
    source = FORMS[form](connection)
    test_types_that_only_postgresql_has(source)
    test_rows_are_those_of_a_geopackage(source, geopackage)
    test_predicates_admit_the_same_rows(source, True)


def period(text: str, relation: str = "during", column: str = "at") -> p.Time:
    return p.Time(column, (parse_period(text),), relation)  # type: ignore[arg-type]


BACKSLASHED = "it's \"q\" \\ \\' ☃"
CASES: tuple[tuple[p.Predicate, set[int]], ...] = (
    (p.OneOf("station", ("S1",)), {1}),
    (p.OneOf("station", ("S1", BACKSLASHED, "Ünïcödé")), {1, 3, 4}),
    (p.Compare("station", "=", BACKSLASHED), {3}),
    (p.Compare("station", "=", "\\' OR 1=1 --"), set()),
    (p.Compare("station", "=", "' OR '1'='1"), set()),
    (p.Compare("station", "=", "\\"), set()),
    (p.Compare("station", "=", "S1'; DROP TABLE x; --"), set()),
    (p.Compare("station", "=", "$$ || pg_sleep(9) || $$"), set()),
    (p.Like("station", ("S", p.ANY_RUN)), {1}),
    (p.OneOf("fixed", ("a",)), {2}),
    (p.OneOf("fixed", ("abc", "it's")), {1, 3}),
    (p.Compare("code", "=", "6f9619ff-8b86-d011-b42d-00c04fc964ff"), {1}),
    (p.Compare("code", "=", "no uuid"), set()),
    (p.Compare("doc", "=", "{}"), {4}),
    (p.Compare('Odd "Name" °', "=", "x"), {3}),
    (p.Compare("exact", "=", "1.1"), {1}),
    (p.Compare("exact", ">=", "1.10"), {1, 3}),
    (p.Compare("loose", "<", "0"), {3}),
    (p.Compare("single", "=", "0.1"), {2}),
    (p.Compare("real", "=", "89.9"), {1}),
    (p.Compare("big", "=", "12345678901"), {1}),
    (p.Compare("key", "=", "99999999999999999999"), set()),
    (p.IsNull("words"), {2, 5}),
    (period("2001-10-30T14:24:55Z/2001-10-30T14:24:55Z"), {1}),
    (period("2001-10-30T22:30:00Z/2001-10-30T22:30:01Z"), {2}),
    (period("2000-12-31T23:59:59Z/2001-01-01T00:00:00Z"), {3}),
    (period("2001-10-30/2001-10-30"), {1, 2}),
    (period("2001-10-31/2001-10-31"), set()),
    (period("2001-10-30/2001-10-30", "before"), {3, 4}),
    (period("2001-01-01/2001-01-01", "after"), {1, 2}),
    (period("2001-10-30T22:30:00Z/2001-10-30T22:30:01Z", column="naive"), {2}),
    (period("2000-12-31T23:59:59Z/2001-01-01T00:00:00Z", column="naive"), {3}),
    (period("2001-10-30/2001-10-30", column="day"), {1}),
    (period("2001-10-31T00:00:00Z/2001-10-31T00:00:00Z", column="day"), {2}),
    (period("2001-10-30T12:00:00Z/2001-10-30T13:00:00Z", column="day"), set()),
    (period("2001-10-30/2001-10-31", column="written"), {1, 2}),
    (period("1999/1999", column="written"), {4}),
    (period("2001-10-01/2001-10-31", "before", "written"), {3, 4}),
    (p.Compare("at", ">", "2001-10-30T14:24:55Z"), {2}),
    (p.Compare("at", "=", "2001-10-30"), {1, 2}),
    (p.Not(period("2001/2001")), {3, 4}),
    (p.BBox(-75, 45, -75, 45), {1}),
    (p.BBox(-76, 44, -73, 47), {1, 2}),
    (p.BBox(-180, -90, 180, 90, "EPSG:4326"), {1, 2, 3, 4}),
    (p.BBox(-8400000, 5500000, -8200000, 5700000, "EPSG:3857"), {1}),
    (p.any_of(p.BBox(9, -6, 11, -5), p.OneOf("station", ("S1",))), {1, 3}),
    (p.all_of(p.OneOf("station", ("S1", "s1")), period("2001/2001"), p.BBox(-80, 40, -70, 50)), {1, 2}),
)


@pytest.mark.parametrize("push_down", [True, False], ids=["pushed", "kept"])
def test_predicates_admit_the_same_rows(source: LayerSource, push_down: bool) -> None:
    wrong = {}
    for predicate, expected in CASES:
        with open_layer(source) as layer:
            query = LayerQuery(source, values=("key",), predicate=predicate)
            found = {key for batch in layer.read(query, push_down=push_down) for key in batch.values["key"].to_pylist()}
        if found != expected:
            wrong[repr(predicate)] = (found, expected)
    assert wrong == {}


def test_tables_without_geometries(connection: str) -> None:
    source = by_ogr(connection, "placeless")
    with open_layer(source) as layer:
        assert not layer.has_geometry
        assert layer.extent() is None
        (batch,) = layer.read(LayerQuery(source, texts=("key", "station"), predicate=p.OneOf("station", ("S1",))))
    assert batch.texts["key"].to_pylist() == ["1"]


def test_rows_with_other_srids_are_where_their_coordinates_say(connection: str) -> None:
    for source in (by_postgis(connection, '"Mess Netz".mixed'), by_ogr(connection, "Mess Netz.mixed")):
        with open_layer(source) as layer:
            query = LayerQuery(source, values=("key",), predicate=p.BBox(-76, 44, -73, 47))
            assert sorted(key for batch in layer.read(query) for key in batch.values["key"].to_pylist()) == [1, 2]
            assert layer.extent() == (-75.0, -5.5, 180.0, 90.0)


def test_a_name_with_a_dot(connection: str) -> None:
    source = by_ogr(connection, "Mess Netz.dotted.name")
    with open_layer(source) as layer:
        (batch,) = layer.read(LayerQuery(source, values=("key",), predicate=p.OneOf("station", ("S1",))))
    assert batch.values["key"].to_pylist() == [1]
