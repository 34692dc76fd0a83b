"""PostGIS at full size: ``python -m benchmarks.postgis [ROWS]``, 50 million rows unless told otherwise.

Makes a server of its own with a table partitioned by month, asks for one station and one week, then for the whole
table, and prints the table of docs/performance.md. Needs some 10 GB beside the temporary folder and, for 50 million
rows, half an hour.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.messages import Request
from tests.support.postgis_table import MINUTES, START, STATIONS, make_table, write_postgis_map
from tests.support.postgresql import Cluster, run_cluster
from tests.support.processes import run_program
from tests.support.servers import mapsos_program

ROWS = 50_000_000
REQUESTS = 200
SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
QUERY = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=stations&observedProperty=weather"
    '&responseFormat=text/xml; subtype="om/1.0.0"'
)


def ask_weeks(mapfile: Path, rows: int, requests: int = REQUESTS) -> list[float]:
    """Milliseconds of requests for one station and one week in one process, the whole answer read; the first left out.

    Raises ValueError for an answer that has not all the observations of its week.
    """
    application = Application(read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off"}))
    days = rows // (STATIONS * 24 * 60 // MINUTES)
    chosen = random.Random(1)
    took = []
    for _ in range(requests + 1):
        first = START + timedelta(chosen.randrange(max(1, days - 7)))
        week = f"{first}T00:00:00Z/{first + timedelta(7)}T00:00:00Z"
        station = f"S{chosen.randrange(STATIONS):03d}"
        query = f"{QUERY}&resultModel=om:Measurement&procedure=urn:ogc:def:procedure:{station}&eventTime={week}"
        started = time.perf_counter()
        answer = b"".join(application.answer(Request("GET", quote(query, safe="=&:;,/"))).body)
        took.append((time.perf_counter() - started) * 1000)
        if (found := answer.count(b"<om:member>")) != 7 * 24 * 60 // MINUTES + 1:
            raise ValueError(f"{found} observations of {station} in {week}: {answer[:500]!r}")
    return took[1:]


def explain_week(cluster: Cluster) -> str:
    """What the server does for one station and one week."""
    return cluster.run(
        "SET jit = off; EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT station, CAST(time AS text), air_temp, "
        "humidity, value::text, geom FROM observations WHERE station IN ('S007') AND time >= '2001-06-04 23:59:59+00' "
        "AND time <= '2001-06-12 00:00:01+00'"
    )


def measure(cluster: Cluster, folder: Path, rows: int) -> None:
    """Print the table."""
    print("| what | ms, median | ms, 95 of 100 |\n| --- | --- | --- |")
    for name, ogr in (("CONNECTIONTYPE POSTGIS", False), ("OGR `PG:`", True)):
        took = sorted(ask_weeks(write_postgis_map(cluster, folder / f"{ogr}.map", ogr), rows))
        print(f"| {name} | {statistics.median(took):.1f} | {took[len(took) * 95 // 100]:.1f} |", flush=True)
    print("\n" + explain_week(cluster), flush=True)
    print("\n| the whole table as | rows | s | MB |\n| --- | --- | --- | --- |")
    for model in ("om:Observation", "om:Measurement"):
        run = run_program(mapsos_program(folder / "False.map", f"{QUERY}&resultModel={model}"), timeout=7200)
        print(f"| {model} | {rows} | {run.seconds:.0f} | {run.megabytes:.0f} |", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with run_cluster(SETTINGS) as server, tempfile.TemporaryDirectory() as place:
        begun = time.perf_counter()
        make_table(server, count)
        print(f"made in {time.perf_counter() - begun:.0f} s\n", flush=True)
        measure(server, Path(place), count)
