"""The recipes of docs/scaling.md, run in order: SQL against a server, commands against what it has made."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgis_table import make_table, write_postgis_map
from tests.support.postgresql import SUPERUSER, Cluster, find_program, require_cluster
from tests.support.servers import mapsos_program

from .markdown import read, read_examples, section

TEXT = read("docs/scaling.md")
STATION = "EXPLAIN SELECT * FROM observations WHERE station = 'S3' AND time >= '2026-12-05Z' AND time < '2026-12-06Z'"


@pytest.fixture(scope="module")
def weather() -> Iterator[Cluster]:
    with require_cluster() as cluster:
        cluster.run("CREATE DATABASE weather")
        cluster.run("CREATE EXTENSION postgis", "weather")
        yield cluster


def test_recipes_of_partitions_and_archives_do_what_they_say(weather: Cluster, tmp_path: Path) -> None:
    statements = [example.text for example in read_examples(section(TEXT, "Partitions by month"))]
    assert len(statements) == 3
    made, clustered, detached = statements
    weather.run(made, "weather")
    counts = "SELECT tableoid::regclass, count(*) FROM observations GROUP BY 1 ORDER BY 1"
    assert weather.run(counts, "weather").splitlines() == ["observations_2026_11|264", "observations_2026_12|236"]
    assert set(re.findall(r"observations_\w+\d", weather.run(STATION, "weather"))) == {"observations_2026_12"}
    weather.run(clustered, "weather")
    first = "SELECT string_agg(DISTINCT station, ',') FROM (SELECT station FROM observations_2026_11 LIMIT 20) AS f"
    assert weather.run(first, "weather") == "S0"
    # What CONCURRENTLY needs: a transaction for itself.
    weather.run(detached, "weather")
    assert weather.run(counts, "weather") == "observations_2026_12|236"
    (commands,) = (example.text for example in read_examples(section(TEXT, "Archives")))
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(weather.port), "PGUSER": SUPERUSER}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("observations_2026_11.fgb", "observations_2026_11.gpkg"):
        shown = subprocess.run(["ogrinfo", "-so", "-al", tmp_path / name], capture_output=True, text=True, check=True)
        assert "Feature Count: 264" in shown.stdout
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND name = 'observations_station_time'"
    command = ["ogrinfo", "-q", tmp_path / "observations_2026_11.gpkg", "-sql", indexes]
    assert "observations_station_time" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_replicas_are_named_as_libpq_reads_them(weather: Cluster) -> None:
    (line,) = re.findall(r'CONNECTION "(.*)"', section(TEXT, "Replicas"))
    assert line.startswith("host=db1,db2,db3 ")
    attributes = re.findall(r"^\| `([\w-]+)` \| ", section(TEXT, "Replicas"), re.M)[1:]
    assert attributes == ["any", "prefer-standby", "standby"]
    assert line.endswith("target_session_attrs=prefer-standby")
    for attribute in attributes:
        # The first of both does not listen; a single server is not a replica.
        hosts = f"host=127.0.0.1,127.0.0.1 port=1,{weather.port} user={SUPERUSER} dbname=weather"
        connection = f"{hosts} target_session_attrs={attribute}"
        command = [find_program("psql") or "", "-X", "-A", "-t", "-d", connection, "-c", "SELECT 1"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode == 0) == (attribute != "standby"), (attribute, done.stderr)


def test_a_map_of_several_servers_is_answered_by_the_one_that_listens(weather: Cluster, tmp_path: Path) -> None:
    make_table(weather, 2000)
    mapfile = write_postgis_map(weather, tmp_path / "several.map")
    first = f"host=127.0.0.1 port={weather.port}"
    text = mapfile.read_text()
    assert first in text
    several = f"host=127.0.0.1,127.0.0.1 port=1,{weather.port} target_session_attrs=prefer-standby"
    mapfile.write_text(text.replace(first, several))
    program = mapsos_program(mapfile, "service=SOS&request=GetCapabilities")
    done = subprocess.run(program.command, env=program.environment, capture_output=True, text=True, check=True)
    assert "urn:ogc:def:procedure:S399" in done.stdout
