"""A PostgreSQL server of the test run's own, and one table of awkward rows in it and in a GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from osgeo import gdal, ogr

from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.pool import close_idle_readers
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind
from tests.support.postgresql import Cluster, require_cluster

from .observations import TABLE as TABLE_OF_OBSERVATIONS

WGS84 = Crs("EPSG:4326", "EPSG:4326")
READER = "reader"
"""May connect, use the schemas and select from the tables: nothing else."""

SETTINGS = {"shared_preload_libraries": "auto_explain", "log_statement": "all", "auto_explain.log_min_duration": "0"}

ROWS = """
INSERT INTO "Mess Netz"."Beobachtungen ""ü"" 1" VALUES
 (1, 'S1', '2001-10-30 14:24:55+00', '2001-10-30 14:24:55', '2001-10-30', '2001-10-30T14:24:55Z', 1.10,
  12345678901234567890.10, 89.9, 1.5, true, 'abc', '14:24:55', 12345678901, ARRAY['a','b'], ARRAY[1,2], '{"a": 1}',
  '6f9619ff-8b86-d011-b42d-00c04fc964ff', 'S1', ST_SetSRID(ST_MakePoint(-75, 45), 4326)),
 (2, 's1', '2001-10-31 00:30:00.75+02', '2001-10-30 22:30:00.75', '2001-10-31', '20011031', -0.05,
  0.000, 0.3, 0.1, false, 'a', '00:00:00', -5, ARRAY[]::text[], ARRAY[]::int[], '[]',
  '00000000-0000-0000-0000-000000000000', 's1', ST_SetSRID(ST_MakePoint(-74, 46), 4326)),
 (3, 'it''s "q" \\ \\'' ☃', '2000-12-31 23:59:59.999+00', '2000-12-31 23:59:59.999', '2000-12-31',
  '2000-12-31 23:59', 99999999.99, -7, 1e-07, 3.25, true, 'it''s', '23:59:59', 0, ARRAY['x,y','"'], ARRAY[-1], '"x"',
  NULL, 'x', ST_SetSRID(ST_MakePoint(10, -5.5), 4326)),
 (4, 'Ünïcödé', '1999-02-28 12:00:00+00', '1999-02-28 12:00:00', '1999-02-28', '1999', 0,
  1e-3, 1e20, -2, false, 'ü', '12:00:00', 7, ARRAY['ü'], ARRAY[2147483647], '{}', NULL, 'ü',
  ST_SetSRID(ST_MakePoint(180, 90), 4326)),
 (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""

TABLE = """
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE SCHEMA "Mess Netz";
CREATE DOMAIN "Mess Netz".moment AS timestamptz;
CREATE TABLE "Mess Netz"."Beobachtungen ""ü"" 1" (
  key integer, station text, at timestamptz, naive timestamp, day date, written text, "exact" numeric(10,2),
  loose numeric, real double precision, single real, flag boolean, fixed char(8), clock time, big bigint,
  words text[], counts integer[], doc jsonb, code uuid, "Odd ""Name"" °" varchar(40), geom geometry(Point, 4326));
"""

AROUND = """
CREATE VIEW "Mess Netz".seen AS SELECT * FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE MATERIALIZED VIEW "Mess Netz".kept AS SELECT * FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE TABLE "Mess Netz".parted (LIKE "Mess Netz"."Beobachtungen ""ü"" 1") PARTITION BY RANGE (at);
CREATE TABLE "Mess Netz".parted_2001 PARTITION OF "Mess Netz".parted
  FOR VALUES FROM ('2001-01-01+00') TO ('2002-01-01+00');
CREATE TABLE "Mess Netz".parted_2000 PARTITION OF "Mess Netz".parted
  FOR VALUES FROM ('2000-01-01+00') TO ('2001-01-01+00');
CREATE TABLE "Mess Netz".parted_rest PARTITION OF "Mess Netz".parted DEFAULT;
INSERT INTO "Mess Netz".parted SELECT * FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE TABLE "Mess Netz".round AS SELECT key, station, at, naive, day, written, "exact", loose, real, single, flag,
  fixed, clock, big, words, counts, doc, code, "Odd ""Name"" °", geom::geography(Point, 4326) AS geom
  FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE INDEX ON "Mess Netz".round USING gist (geom);
CREATE TABLE "Mess Netz".mixed AS SELECT key, station, CASE WHEN key = 2 THEN ST_SetSRID(geom, 3857) ELSE geom END
  AS geom FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE TABLE public.placeless AS SELECT key, station, at, real FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE TABLE "Mess Netz"."dotted.name" AS SELECT key, station, geom FROM "Mess Netz"."Beobachtungen ""ü"" 1";
CREATE ROLE reader LOGIN;
GRANT USAGE ON SCHEMA "Mess Netz" TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "Mess Netz", public TO reader;
"""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server whose database ``postgres`` has the table and what is made of it."""
    with require_cluster(SETTINGS) as server:
        server.run(TABLE + ROWS + ";" + AROUND)
        yield server


@pytest.fixture(scope="session")
def connection(cluster: Cluster) -> str:
    """How mapsos connects: by the role that may only select."""
    return cluster.connection(READER)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """No connection and no fact of one test is seen by the next."""
    yield
    close_idle_readers()
    forget_facts()


def end_backends(cluster: Cluster) -> None:
    """End the sessions of mapsos, and wait until they are gone."""
    cluster.run(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = '{READER}'")


def by_postgis(connection: str, origin: str, geometry: str = "geom", more: str = "USING UNIQUE key") -> LayerSource:
    """A layer with CONNECTIONTYPE POSTGIS."""
    return LayerSource("layer", SourceKind.POSTGIS, connection, f"{geometry} FROM {origin} {more}", crs=WGS84)


def by_ogr(connection: str, data: str) -> LayerSource:
    """A layer with CONNECTIONTYPE OGR."""
    return LayerSource("layer", SourceKind.OGR, f"PG:{connection}", data, crs=WGS84)


@pytest.fixture(scope="session")
def geopackage(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> LayerSource:
    """The rows in a GeoPackage, as far as that has types for them, written feature by feature through GDAL."""
    path = tmp_path_factory.mktemp("geopackage") / "rows.gpkg"
    write_geopackage(path)
    return LayerSource("layer", SourceKind.OGR, str(path), "rows", crs=WGS84)


COMMON = ("key", "station", "at", "naive", "day", "written", "real", "flag", "big")
"""Columns that a GeoPackage has types for."""

COMMON_ROWS = (
    (1, "S1", "2001-10-30T14:24:55Z", "2001-10-30T14:24:55Z", "2001-10-30", "2001-10-30T14:24:55Z", 89.9, 1,
     12345678901, (-75, 45)),
    (2, "s1", "2001-10-30T22:30:00.750Z", "2001-10-30T22:30:00.750Z", "2001-10-31", "20011031", 0.3, 0, -5, (-74, 46)),
    (3, "it's \"q\" \\ \\' ☃", "2000-12-31T23:59:59.999Z", "2000-12-31T23:59:59.999Z", "2000-12-31",
     "2000-12-31 23:59", 1e-07, 1, 0, (10, -5.5)),
    (4, "Ünïcödé", "1999-02-28T12:00:00Z", "1999-02-28T12:00:00Z", "1999-02-28", "1999", 1e20, 0, 7, (180, 90)),
    (5, None, None, None, None, None, None, None, None, None),
)  # fmt: skip


def write_geopackage(path: Path) -> None:
    """Write `COMMON_ROWS`."""
    types = (ogr.OFTInteger, ogr.OFTString, ogr.OFTDateTime, ogr.OFTDateTime, ogr.OFTDate, ogr.OFTString, ogr.OFTReal,
             ogr.OFTInteger, ogr.OFTInteger64)  # fmt: skip
    dataset = gdal.GetDriverByName("GPKG").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("rows", None, ogr.wkbPoint)
    for name, kind in zip(COMMON, types, strict=True):
        field = ogr.FieldDefn(name, kind)
        if name == "flag":
            field.SetSubType(ogr.OFSTBoolean)
        layer.CreateField(field)
    for *values, point in COMMON_ROWS:
        feature = ogr.Feature(layer.GetLayerDefn())
        for index, value in enumerate(values):
            if value is None:
                feature.SetFieldNull(index)
            elif isinstance(value, int):
                feature.SetFieldInteger64(index, value)
            else:
                feature.SetField(index, value)
        if point is not None:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({point[0]} {point[1]})"))
        layer.CreateFeature(feature)
    dataset = layer = None


@pytest.fixture(scope="session")
def observations(cluster: Cluster) -> None:
    """The table of `tests.postgis.observations`."""
    cluster.run("SET timezone = 'UTC';" + TABLE_OF_OBSERVATIONS)
