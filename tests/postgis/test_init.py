"""mapsos init from tables of a PostgreSQL database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mapsos.check.report import check_mapfile
from mapsos.command.drafting.data_sets import DraftError
from mapsos.command.drafting.draft import draft_map
from mapsos.mapfile.reader import read_service
from mapsos.terms.layer_source import SourceKind
from tests.support.postgresql import Cluster

TABLES = '''
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE SCHEMA "Pegel Netz";
CREATE TABLE "Pegel Netz"."Werte ""2024""" (id serial PRIMARY KEY, "Messstelle" text, zeit timestamptz,
  "Abfluss [m³/s]" double precision, "Wasserstand [cm]" numeric(8,2), geom geometry(Point, 25832));
INSERT INTO "Pegel Netz"."Werte ""2024""" ("Messstelle", zeit, "Abfluss [m³/s]", "Wasserstand [cm]", geom)
  SELECT name, '2024-01-01 00:00+00'::timestamptz + n * interval '1 hour', n / 2.0, 100 + n,
    ST_SetSRID(ST_MakePoint(356000 + length(name), 5645000), 25832)
  FROM generate_series(0, 9) n, unnest(ARRAY['Köln', 'O''Brien']) name;
CREATE TABLE public.readings (sensor integer, observed_at timestamp, ph double precision, place geometry(Point, 4326));
INSERT INTO public.readings SELECT n % 3, '2024-01-01'::timestamp + n * interval '1 hour', 7 + n / 10.0,
    ST_SetSRID(ST_MakePoint(n % 3, 50), 4326) FROM generate_series(0, 11) n;
CREATE TABLE public.placeless (station text, at timestamptz, value double precision);
INSERT INTO public.placeless SELECT 'S' || n % 2, '2024-01-01'::timestamptz + n * interval '1 hour', n
  FROM generate_series(0, 5) n;
'''


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    cluster.run("CREATE DATABASE drafts")
    cluster.run(TABLES, "drafts")
    return "PG:" + cluster.connection(database="drafts")


@pytest.mark.parametrize("form", ["words", "url"])
def test_a_database(database: str, tmp_path: Path, form: str) -> None:
    if form == "url":
        found = dict(re.findall(r"(\w+)=(\S+)", database))
        database = f"postgresql://{found['user']}@{found['host']}:{found['port']}/{found['dbname']}"
    draft = draft_map([database], url="http://h")
    path = tmp_path / "drafts.map"
    draft.write(path)
    assert [finding.message for finding in check_mapfile(str(path)) if finding.level != "info"] == []
    layers = {layer.name: layer for layer in read_service(str(path)).layers}
    assert sorted(layers) == ['Werte "2024"', "readings"]
    values, readings = layers['Werte "2024"'], layers["readings"]
    assert values.source.kind is SourceKind.POSTGIS
    assert values.source.data == 'geom FROM "Pegel Netz"."Werte ""2024""" USING UNIQUE id USING SRID=25832'
    assert (values.procedure_item, values.time_item) == ("Messstelle", "zeit")
    assert {field.alias: field.uom for field in values.fields.values()} == {"Abfluss": "m3/s", "Wasserstand": "cm"}
    assert (readings.procedure_item, readings.time_item) == ("sensor", "observed_at")
    assert draft.omitted == ()


def test_one_table(database: str) -> None:
    assert "readings" in draft_map([database, "readings"]).text
    assert "Werte" not in draft_map([database, "public.readings"]).text
    assert 'NAME "Werte \\"2024\\""' in draft_map([database], layers=['Pegel Netz.Werte "2024"']).text
    with pytest.raises(DraftError, match=r"cannot read layer nothing of .*; its layers: "):
        draft_map([database, "nothing"])


def test_numbers_of_single_precision(cluster: Cluster, database: str) -> None:
    """Fiona 1.10 skips them: the draft names what it lacks."""
    cluster.run("CREATE TABLE halves AS SELECT observed_at, sensor, ph, ph::real AS half FROM readings", "drafts")
    text = draft_map([database, "halves"]).text
    assert '"sos_half_alias" "half"' in text or "add them yourself: half" in text
    cluster.run("DROP TABLE halves", "drafts")


def test_a_table_without_geometries(database: str, tmp_path: Path) -> None:
    """GDAL does not list it, and MapServer's POSTGIS cannot read it."""
    path = tmp_path / "placeless.map"
    draft_map([database, "placeless"], url="http://h").write(path)
    assert [finding.message for finding in check_mapfile(str(path)) if finding.level != "info"] == []
    (layer,) = read_service(str(path)).layers
    assert (layer.source.kind, layer.source.data) == (SourceKind.OGR, "placeless")
    assert (layer.procedure_item, layer.time_item, list(layer.fields)) == ("station", "at", ["value"])


def test_a_password_stays_where_it_is(database: str) -> None:
    text = draft_map([database + " password=secret", "readings"]).text
    assert "# decide: a password belongs in ~/.pgpass" in text
    assert "secret" not in "".join(draft_map([database + " password=secret"]).omitted)
