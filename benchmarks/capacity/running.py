"""Starting the servers that are measured: `mapsos serve` over a GeoPackage, and over PostgreSQL."""

from __future__ import annotations

import datetime
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.capacity.checking import Comparison, choose_clients, load, measure_demands, predict
from benchmarks.capacity.measuring import Data, Taken, Work, list_works, measure, read_processors
from benchmarks.capacity.tables import write_comparisons, write_taken
from benchmarks.capacity.times import CAPABILITIES, CapabilitiesTimes, SourceTimes, update_measured
from benchmarks.load import _read_memory
from benchmarks.load_questions import make_questions
from tests.support.datasets import provide_dataset
from tests.support.maps import CAPABILITIES as CAPABILITIES_QUERY
from tests.support.maps import MapLayer, write_map
from tests.support.postgis_table import START, make_table, write_postgis_map
from tests.support.postgresql import Cluster, run_cluster
from tests.support.processes import list_tree
from tests.support.servers import Server, serving

FILE_STATIONS = 200
TABLE_STATIONS, TABLE_MINUTES = 1000, 10
MANY_STATIONS = 20_000
TIMES = 400
THINK = 1.0
FACTS_SECONDS = 61.0
"""Facts about the data in a database are kept for a minute."""
CHECKED_REQUESTS = 1500
SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def measure_geopackage(folder: Path, rows: int, target: Path | None) -> None:
    """Measure a GeoPackage and print; write into the file if there is one."""
    data = provide_dataset("points", rows, folder)
    mapfile = write_map(MapLayer("points", rows), folder)
    known = Data(FILE_STATIONS, 60, datetime.datetime(2001, 1, 1), rows // FILE_STATIONS)
    with serving(mapfile, "--workers", "2") as server:
        first = _measure_once(server, mapfile, None)
        works = _measure_all(server, mapfile, list_works(known, TIMES))
        os.utime(data)
        refresh = _measure_once(server, mapfile, None)
        resident = _read_memory(server.pid) // 2
    times = SourceTimes(_describe(), rows, FILE_STATIONS, 1, data.stat().st_size, 0, works, first, refresh)
    if target:
        update_measured(target, sources={"geopackage": times}, worker_bytes=resident)


def measure_postgis(rows: int, target: Path | None) -> None:
    """Measure a partitioned table, made in a server of its own, and print; write into the file if there is one."""
    with run_cluster(SETTINGS) as cluster, tempfile.TemporaryDirectory() as place:
        make_table(cluster, rows, stations=TABLE_STATIONS, minutes=TABLE_MINUTES)
        measure_cluster(cluster, Path(place), rows, target)


def measure_cluster(
    cluster: Cluster, folder: Path, rows: int, target: Path | None, times: int = TIMES, pause: float = FACTS_SECONDS
) -> None:
    """Measure the table of a cluster, and capabilities of many stations.

    ``pause`` is waited for before sensors are looked for again.
    """
    mapfile = write_postgis_map(cluster, folder / "observations.map")
    # As docs/postgis.md advises: looking for the extent would read all rows.
    extent = '"sos_offering_extent" "-160,-80,160,80"'
    mapfile.write_text(mapfile.read_text().replace('"sos_offering_id"', f'{extent} "sos_offering_id"'))
    data = Data(
        TABLE_STATIONS, TABLE_MINUTES, datetime.datetime.combine(START, datetime.time()), rows // TABLE_STATIONS
    )

    def reading() -> float:
        return read_processors(_list_postgres(cluster), ended=True)

    with serving(mapfile, "--workers", "2") as server:
        first = _measure_once(server, mapfile, reading)
        works = _measure_all(server, mapfile, list_works(data, times, with_pages=False), reading)
        time.sleep(pause)
        refresh = _measure_once(server, mapfile, reading)
    table, index, partitions = _read_sizes(cluster)
    measured = SourceTimes(_describe(), rows, TABLE_STATIONS, partitions, table, index, works, first, refresh)
    capabilities = [CapabilitiesTimes(TABLE_STATIONS, works[CAPABILITIES].server, works[CAPABILITIES].size)]
    capabilities.append(_measure_many_stations(cluster, folder))
    if target:
        update_measured(target, sources={"postgis": measured}, capabilities=tuple(capabilities))


def _measure_many_stations(cluster: Cluster, folder: Path) -> CapabilitiesTimes:
    cluster.run(
        f"""CREATE TABLE many AS SELECT 'S' || to_char(n % {MANY_STATIONS}, 'FM00000') AS station,
        '{START} 00:00+00'::timestamptz + n / {MANY_STATIONS} * interval '10 min' AS time, 1.5::float8 AS air_temp,
        7 AS humidity, 1.25::numeric(8, 2) AS value, ST_SetSRID(ST_MakePoint(n % 300, n % 70), 4326) AS geom
        FROM generate_series(0, {MANY_STATIONS * 10 - 1}) AS n;
        CREATE INDEX ON many (station, time); ANALYZE many; GRANT SELECT ON many TO reader"""
    )
    mapfile = write_postgis_map(cluster, folder / "many.map", table="many")
    with serving(mapfile, "--workers", "2") as server:
        taken = measure(server, mapfile.stem, Work(CAPABILITIES, [f"?{CAPABILITIES_QUERY}"], TIMES))
    print(write_taken([taken]), flush=True)
    return CapabilitiesTimes(MANY_STATIONS, taken.server, taken.size)


def _measure_all(
    server: Server, mapfile: Path, works: Sequence[Work], database: Callable[[], float] | None = None
) -> dict[str, Taken]:
    found = {}
    for work in works:
        found[work.kind] = measure(server, mapfile.stem, work, database)
        print(write_taken([found[work.kind]]), end="", flush=True)
    return found


def _measure_once(server: Server, mapfile: Path, database: Callable[[], float] | None) -> tuple[float, float]:
    """Return processor seconds of the server and the database for one GetCapabilities."""
    taken = measure(server, mapfile.stem, Work("once", [f"?{CAPABILITIES_QUERY}"], 1), database, warm=False)
    print(write_taken([taken]), end="", flush=True)
    return taken.server, taken.database


def _list_postgres(cluster: Cluster) -> list[int]:
    postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    return list(list_tree([postmaster]))


def _read_sizes(cluster: Cluster) -> tuple[int, int, int]:
    found = cluster.run(
        "SELECT sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)), count(*) FROM pg_inherits "
        "WHERE inhparent = 'observations'::regclass"
    )
    table, index, partitions = map(int, found.split("|"))
    return table, index, partitions


async def check_loads(folder: Path, rows: int, seconds: float, uses: Sequence[float], target: Path | None) -> int:
    """Predict and run loads of the mix of ``benchmarks/load``; 0 if all are within a quarter."""
    data = provide_dataset("points", rows, folder)
    mapfile = write_map(MapLayer("points", rows), folder)
    questions = make_questions(data, rows, 200)
    processors = workers = os.cpu_count() or 1
    found = []
    with serving(mapfile, "--workers", str(workers)) as server:
        for use in uses:
            # Just before each load: the speed of a virtual machine changes from minute to minute.
            demands = await measure_demands(server, mapfile.stem, questions, CHECKED_REQUESTS, 2 * processors)
            print(f"{demands.server * 1000:.2f} ms of server, {demands.client * 1000:.2f} ms of client", flush=True)
            clients = choose_clients(demands, workers, processors, THINK, use)
            expected = predict(demands, workers, processors, clients, THINK)
            experienced, failures = await load(server, mapfile.stem, questions, clients, THINK, seconds, processors)
            found.append(Comparison(clients, expected, experienced, failures))
            print(write_comparisons(found[-1:]), end="", flush=True)
    if target:
        update_measured(target, checked=_describe(), comparisons=tuple(found))
    return 0 if all(one.is_close for one in found) else 1


def _describe() -> str:
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
