"""``mapsos check`` advises the indexes that docs/postgis.md does, with statements that a server takes as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.check.finding import Finding
from mapsos.check.report import check_mapfile
from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.pool import close_idle_readers
from tests.support.postgresql import Cluster

from .conftest import READER

COLUMNS = 'station text, "the Time" timestamptz, written text, level real, geom geometry(Point, 4326)'
MAP = """MAP NAME "m" WEB METADATA "sos_onlineresource" "http://h/" "sos_srs" "EPSG:4326" "sos_enable_request" "*"
"sos_title" "T" "sos_contactorganization" "C" END END
LAYER NAME "l" TYPE POINT {source} PROJECTION "epsg:4326" END METADATA
"sos_offering_id" "o" "sos_offering_name" "N" "sos_observedproperty_id" "p" "sos_procedure_item" "station"
"sos_timeitem" "{time}" "sos_level_alias" "level" "sos_the Time_alias" "t" "sos_written_alias" "w"
END END END
"""


@pytest.fixture
def table(cluster: Cluster) -> str:
    """A table without an index, whose name needs quotes."""
    name = '"Mess Netz"."Un""indexed"'
    cluster.run(
        f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({COLUMNS}); "
        f"INSERT INTO {name} SELECT 'S' || n % 5, t, to_char(t, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), n, "
        "ST_SetSRID(ST_MakePoint(n % 5, 50), 4326) FROM generate_series(1, 10001) AS n, "
        "LATERAL (SELECT '2024-01-01+00'::timestamptz + n * interval '1 hour') AS x (t); "
        f"ANALYZE {name}; GRANT SELECT ON {name} TO {READER};"
    )
    return name


def check(folder: Path, source: str, time: str = "the Time") -> list[Finding]:
    forget_facts()
    close_idle_readers()
    path = folder / "test.map"
    path.write_text(MAP.format(source=source, time=time), encoding="utf-8")
    return check_mapfile(str(path))


def write_source(connection: str, table: str, way: str) -> str:
    if way == "postgis":
        return f"CONNECTIONTYPE POSTGIS CONNECTION \"{connection}\" DATA 'geom FROM {table} USING UNIQUE station'"
    named = table.replace('"."', ".").strip('"').replace('""', '"')
    return f"CONNECTIONTYPE OGR CONNECTION \"PG:{connection}\" DATA '{named}'"


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_the_advice_runs_and_ends_the_advice(
    cluster: Cluster, connection: str, table: str, way: str, tmp_path: Path
) -> None:
    source = write_source(connection, table, way)
    findings = check(tmp_path, source)
    assert [(finding.code, finding.level) for finding in findings] == [
        ("M701", "info"), ("M702", "info"), ("M703", "info"),
    ]  # fmt: skip
    statements = [finding.message.partition("Create it: ")[2] for finding in findings]
    assert statements == [
        f'CREATE INDEX ON {table} ("station", "the Time"); ANALYZE {table};',
        f'CREATE INDEX ON {table} ("the Time"); ANALYZE {table};',
        f'CREATE INDEX ON {table} USING gist ("geom");',
    ]
    for statement in statements:
        cluster.run(statement)
    assert check(tmp_path, source) == []


def test_times_that_are_text_need_the_order_of_bytes(
    cluster: Cluster, connection: str, table: str, tmp_path: Path
) -> None:
    cluster.run(f'ALTER TABLE {table} ALTER written TYPE text COLLATE "de-x-icu"')
    cluster.run(f"CREATE INDEX ON {table} (station, written); CREATE INDEX ON {table} USING gist (geom)")
    source = write_source(connection, table, "postgis")
    findings = check(tmp_path, source, "written")
    assert [finding.code for finding in findings] == ["M701", "M702"]
    assert f'CREATE INDEX ON {table} ("station", "written" COLLATE "C");' in findings[0].message
    for finding in findings:
        cluster.run(finding.message.partition("Create it: ")[2])
    assert check(tmp_path, source, "written") == []


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_a_partitioned_table_and_a_view(cluster: Cluster, connection: str, way: str, tmp_path: Path) -> None:
    cluster.run(
        f"DROP TABLE IF EXISTS parts CASCADE; CREATE TABLE parts ({COLUMNS}) PARTITION BY RANGE (\"the Time\"); "
        "CREATE TABLE parts_all PARTITION OF parts DEFAULT; INSERT INTO parts SELECT 'S', now(), '2024-01', 1, "
        "ST_SetSRID(ST_MakePoint(n % 5, 50), 4326) FROM generate_series(1, 200) AS n; "
        'CREATE INDEX ON parts (station, "the Time"); CREATE VIEW seen_parts AS SELECT * FROM parts; '
        f"GRANT SELECT ON parts, seen_parts TO {READER};"
    )
    assert [finding.code for finding in check(tmp_path, write_source(connection, "parts", way))] == ["M702", "M703"]
    assert check(tmp_path, write_source(connection, "seen_parts", way)) == []


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_a_wrong_table_is_blamed_on_data(connection: str, table: str, way: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, write_source(connection, '"Mess Netz"."Unindexed"', way))
    assert (finding.code, finding.key) == ("M404", "DATA")
    assert 'no layer "Mess Netz.Unindexed"' in finding.message
    assert 'Did you mean "Mess Netz.Un"indexed"?' in finding.message
