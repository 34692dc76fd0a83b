"""Filters reach the server: what it really ran, by its own log, prunes partitions and goes by indexes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.postgresql import Cluster

from .observations import A_DAY, QUERY, STATIONS, Log, ask, read, write_map

WEEK = "eventTime=2001-06-04T00:00:00Z/2001-06-10T21:00:00Z"
RESULT = (
    "<Filter><PropertyIsGreaterThan><PropertyName>humidity</PropertyName><Literal>-1</Literal>"
    "</PropertyIsGreaterThan></Filter>"
)
PROCEDURE = "procedure=urn:ogc:def:procedure:S007"


def run(cluster: Cluster, mapfile: Path, more: str) -> tuple[bytes, str]:
    """The answer, and the plan of the one statement that read its observations."""
    read(ask(mapfile, f"{QUERY}&resultModel=om:Measurement&procedure=S001&eventTime=2001-01-01/2001-01-01"))
    log = Log(cluster)
    answer = read(ask(mapfile, f"{QUERY}&resultModel=om:Measurement&{more}"))
    (plan,) = log.plans()
    return answer, plan


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("ogr", [False, True], ids=["postgis", "ogr"])
def test_one_station_one_week(cluster: Cluster, connection: str, tmp_path: Path, ogr: bool) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", ogr)
    answer, plan = run(cluster, mapfile, f"{PROCEDURE}&{WEEK}&bbox=-180,-90,180,90&result={RESULT}")
    assert answer.count(b"<om:member>") == 7 * A_DAY
    assert set(re.findall(r"on (observations_\d\d)", plan)) == {"observations_06"}
    assert re.search(r"Index Cond: \(\(station = 'S007'::text\) AND \(\"time\" >= '2001-06-0", plan)
    assert "Seq Scan" not in plan
    assert "humidity >= '-1'::integer" in plan
    assert "&&" in plan


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("ogr", [False, True], ids=["postgis", "ogr"])
def test_several_stations_by_one_list(cluster: Cluster, connection: str, tmp_path: Path, ogr: bool) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", ogr)
    answer, plan = run(cluster, mapfile, f"procedure=S001,S002,S003&{WEEK}")
    assert answer.count(b"<om:member>") == 3 * 7 * A_DAY
    assert set(re.findall(r"on (observations_\d\d)", plan)) == {"observations_06"}
    assert "station = ANY ('{S001,S002,S003}'::text[])" in plan
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("ogr", [False, True], ids=["postgis", "ogr"])
def test_a_small_rectangle_by_the_index_of_geometries(
    cluster: Cluster, connection: str, tmp_path: Path, ogr: bool
) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", ogr)
    answer, plan = run(cluster, mapfile, "bbox=-10.2,-0.2,-9.8,0.2&eventTime=2001-06/2001-06")
    assert answer.count(b"<om:member>") == 30 * A_DAY
    assert re.search(r"(Index|Bitmap Index) Scan (using|on) observations_06_geom_idx", plan)


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("column", ["plain", "day"])
def test_times_of_every_type_by_their_index(cluster: Cluster, connection: str, tmp_path: Path, column: str) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", False, column)
    answer, plan = run(cluster, mapfile, f"{PROCEDURE}&eventTime=2001-06-04T00:00:00Z/2001-06-10T21:00:00Z")
    assert answer.count(b"<om:member>") == 7 * A_DAY
    assert re.search(rf"Index Cond: .*{column} >=", plan) or re.search(rf"Scan .*station_{column}_idx", plan)
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("column", ["written", "sorted"])
def test_times_in_texts_by_their_index(cluster: Cluster, connection: str, tmp_path: Path, column: str) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", False, column)
    answer, plan = run(cluster, mapfile, "eventTime=2001-06-04T00:00:00Z/2001-06-04T21:00:00Z")
    assert answer.count(b"<om:member>") == STATIONS * 8
    assert re.search(rf"Index Cond: \(+{column}\)?(::text)? >= '2001-06-0\d'::text\)", plan)
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("observations")
def test_a_subquery_and_a_view(cluster: Cluster, connection: str, tmp_path: Path) -> None:
    data = "(SELECT station, time, air_temp, humidity, value, geom FROM observations WHERE humidity >= 0) AS x"
    mapfile = write_map(tmp_path / "a.map", connection, data, False)
    answer, plan = run(cluster, mapfile, f"{PROCEDURE}&{WEEK}")
    assert answer.count(b"<om:member>") == 7 * A_DAY
    assert set(re.findall(r"on (observations_\d\d)", plan)) == {"observations_06"}


CAPABILITIES = "service=SOS&request=GetCapabilities"


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("ogr", [False, True], ids=["postgis", "ogr"])
def test_capabilities_read_no_rows_over_the_wire(cluster: Cluster, connection: str, tmp_path: Path, ogr: bool) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", ogr)
    log = Log(cluster)
    answer = read(ask(mapfile, CAPABILITIES)).decode()
    assert log.plans() == []
    assert "WITH RECURSIVE" in log.text()
    assert all(f"S{number:03d}" in answer for number in range(STATIONS))
    assert "2001-01-01T00:00:00Z" in answer
    assert "2001-12-31T21:00:00Z" in answer


@pytest.mark.usefixtures("observations")
@pytest.mark.parametrize("ogr", [False, True], ids=["postgis", "ogr"])
def test_the_latest_of_each_station_by_the_index(cluster: Cluster, connection: str, tmp_path: Path, ogr: bool) -> None:
    mapfile = write_map(tmp_path / "a.map", connection, "observations", ogr)
    answer, plan = run(cluster, mapfile, "eventTime=latest")
    assert answer.count(b"<om:member>") == STATIONS
    assert set(re.findall(r"on (observations_\d\d)", plan)) == {"observations_12"}
