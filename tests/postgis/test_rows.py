"""The rows and predicates of every other driver, in a database."""

from __future__ import annotations

import dataclasses

import pytest

from mapsos.sources.drivers.postgres.postgis import PostgisData, parse_data
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind
from tests.sources.conftest import ROWS, WGS84
from tests.sources.selections import CASES, ids
from tests.support.postgresql import Cluster


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("geom FROM obs", PostgisData("geom", "obs")),
        ("the_geom from (select * from a) as b using unique gid using srid=4326",
         PostgisData("the_geom", "(select * from a) as b", "gid")),
        ('"Geom" FROM public."Obs" USING SRID=3857 USING UNIQUE id', PostgisData("Geom", 'public."Obs"', "id")),
        ("GEOM::geometry FROM obs;", PostgisData("geom", "obs")),
    ],
)  # fmt: skip
def test_data_is_read_as_mapserver_does(text: str, expected: PostgisData) -> None:
    assert parse_data(text) == expected


@pytest.mark.parametrize("text", ["", "obs", "SELECT 1", "geom obs"])
def test_other_data_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="geometry FROM table"):
        parse_data(text)


def write(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    """A libpq connection string of the server, with a table ``obs`` of the rows of every driver."""
    statements = [
        "CREATE TABLE obs (id integer, name text, count integer, big bigint, value double precision, flag boolean,"
        " day date, at timestamptz, written text, code uuid, geom geometry(Point, 4326))"
    ]
    for row in ROWS:
        terms = [write(value) for value in dataclasses.astuple(row)[:9]]
        point = "NULL" if row.point is None else f"ST_SetSRID(ST_MakePoint({row.point[0]}, {row.point[1]}), 4326)"
        statements.append(f"INSERT INTO obs VALUES ({', '.join(terms)}, NULL, {point})")
    cluster.run(";\n".join([*statements, "CREATE INDEX by_name ON obs (name, at)", "GRANT SELECT ON obs TO reader"]))
    return cluster.connection("reader", more="password=unused")


DATA = (
    "geom FROM obs USING UNIQUE id USING SRID=4326",
    "geom FROM (SELECT * FROM obs WHERE id < 100) AS few USING UNIQUE id",
)


@pytest.fixture(params=[*DATA, "ogr"])
def observations(request: pytest.FixtureRequest, database: str) -> LayerSource:
    """The rows in the database."""
    if request.param == "ogr":
        return LayerSource("observations", SourceKind.OGR, f"PG:{database}", "obs", crs=WGS84)
    return LayerSource("observations", SourceKind.POSTGIS, database, request.param, crs=WGS84)


@pytest.mark.parametrize("push_down", [True, False], ids=["pushed", "kept"])
def test_the_same_rows_as_of_every_other_driver(observations: LayerSource, push_down: bool) -> None:
    wrong = {}
    for predicate, expected in CASES:
        found = ids(observations, predicate, push_down)
        if sorted(found) != sorted(expected):
            wrong[repr(predicate)] = (sorted(found), sorted(expected))
    assert wrong == {}
    assert ids(observations, p.Compare("code", "=", "no uuid at all"), push_down) == []


def test_values_and_geometries(observations: LayerSource) -> None:
    with open_layer(observations) as layer:
        query = LayerQuery(observations, texts=("at", "value", "flag", "day"), geometry=True)
        (batch,) = layer.read(query)
        assert layer.extent() == (-75.0, -5.5, 180.0, 90.0)
        assert layer.distinct("flag") == ("1", "0", "")
    times = ["2001-10-30T14:24:55Z", "2001-10-30T22:30:00Z", "2000-12-31T23:59:59.75Z"]
    assert batch.texts["at"].to_pylist()[:3] == times
    assert batch.texts["value"].to_pylist()[2:5] == ["1e-07", "1e+20", None]
    assert batch.geometry is not None
    assert batch.geometry.point_coordinates()[0].tolist() == [-75.0, 45.0]  # type: ignore[index]


def test_failures_show_no_password(database: str) -> None:
    for connection, data in (
        (database.replace("dbname=postgres", "dbname=nowhere"), DATA[0]),
        (database, "geom FROM nowhere"),
        (database, "shape FROM obs"),
        (database, "nonsense"),
    ):
        with pytest.raises(SourceError) as caught:
            open_layer(LayerSource("observations", SourceKind.POSTGIS, connection, data))
        assert caught.value.message == "data source of layer observations cannot be read"
        assert "unused" not in caught.value.detail
