"""``python -m benchmarks.capacity``: what it computes, its measuring at a small size, and the document made by it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.capacity.__main__ import DOCUMENT, fill, main
from benchmarks.capacity.checking import Comparison, Demands, Prediction, choose_clients, predict
from benchmarks.capacity.measuring import Taken
from benchmarks.capacity.running import measure_cluster
from benchmarks.capacity.sizing import Plan, Site, size_site
from benchmarks.capacity.times import CapabilitiesTimes, Measured, SourceTimes, read_measured, update_measured
from tests.support.postgis_table import make_table
from tests.support.postgresql import require_cluster

ROOT = Path(__file__).parents[2]


def taken(kind: str, server: float, database: float = 0.0, rows: int = 0) -> Taken:
    return Taken(kind, server, 0.001, database, server + database, 1000 * rows, rows)


WORKS = {
    work.kind: work
    for work in (
        taken("GetCapabilities", 0.001),
        taken("DescribeSensor", 0.001),
        taken("one station, one week", 0.008, 0.004, 100),
        taken("one station, 500 rows", 0.016, 0.006, 500),
        taken("a million rows", 2.0, 1.0, 1_000_000),
    )
}
TABLE = SourceTimes("by hand", 100_000_000, 1000, 20, 10_000_000_000, 3_000_000_000, WORKS, (1.0, 1.0), (0.5, 0.5))
MEASURED = Measured(
    {"postgis": TABLE, "geopackage": replace(TABLE, partitions=1)},
    (CapabilitiesTimes(1000, 0.001, 80_000), CapabilitiesTimes(21_000, 0.005, 1_600_000)),
    170_000_000,
    "by hand",
    (),
)
SITE = Site(stations=1000, rows=86_000_000, requests=50, answer_rows=100, minutes=10)


def size(**changes: object) -> Plan:
    return size_site(replace(SITE, **changes), MEASURED)  # type: ignore[arg-type]


def test_a_site_by_hand() -> None:
    # 10 % + 10 % of 1 ms and 80 % of 8 ms: 6.6 ms, 50 times a second; 4 ms of the database in 80 %.
    plan = size()
    assert plan.request_seconds == pytest.approx(0.0066)
    assert plan.database_seconds == pytest.approx(0.0032)
    # Sensors are looked for in 20 partitions, 1 % of each worker; 0.33 processors of 60 % less 1 %.
    assert SITE.months == 20
    assert plan.workers == 1
    assert plan.used == pytest.approx(0.33 + 0.5 / 60)
    slowed = 0.0066 / (1 - 0.5 / 60)
    assert plan.mean == pytest.approx(slowed / (1 - 50 * slowed) + 0.0032, rel=1e-3)
    assert plan.slowest == pytest.approx(slowed / (1 - 50 * slowed) * math.log(20) + 0.0032, rel=1e-3)
    assert (plan.databases, plan.database_processors) == (1, 1)
    assert plan.disk == pytest.approx(86e6 * 130)
    assert plan.database_memory == pytest.approx(2 * 1000 * 4383 * 130)
    assert plan.extrapolated == ()


@pytest.mark.parametrize(
    ("changes", "workers", "machines", "databases"),
    [
        # 6.6 processors of 59 %.
        ({"requests": 1000}, 12, 2, 1),
        ({"requests": 1000, "processors": 2}, 12, 6, 3),
        # 33 processors of mapsos, 16 of PostgreSQL at 60 % and those that look for sensors.
        ({"requests": 5000}, 56, 7, 4),
        # 2 and 1 processor for a million rows a second.
        ({"requests": 1, "long_rows": 1e6}, 4, 1, 1),
        ({"requests": 1000, "source": "geopackage"}, 12, 2, 0),
    ],
)
def test_more_work_needs_more(changes: dict[str, object], workers: int, machines: int, databases: int) -> None:
    plan = size(**changes)
    assert (plan.workers, plan.machines, plan.databases) == (workers, machines, databases)


def test_rows_and_stations_of_an_answer() -> None:
    assert size(answer_rows=500).request_seconds == pytest.approx(0.0002 + 0.8 * 0.016)
    assert size(answer_rows=300).request_seconds == pytest.approx(0.0002 + 0.8 * 0.012)
    # Fewer rows than were measured are taken to cost as much; a capability of more stations costs more.
    assert size(answer_rows=1).request_seconds == pytest.approx(0.0066)
    assert size(stations=11_000).request_seconds == pytest.approx(0.0066 + 0.1 * 0.002)


@pytest.mark.parametrize(
    ("changes", "extrapolated"),
    [
        ({"rows": 1_000_000_000}, ("rows beyond 100,000,000",)),
        ({"stations": 50_000}, ("stations beyond 21,000",)),
        ({"requests": 1000}, ("workers beyond 2",)),
    ],
)
def test_what_is_extrapolated_is_named(changes: dict[str, object], extrapolated: tuple[str, ...]) -> None:
    assert set(extrapolated) <= set(size(**changes).extrapolated)


def test_looking_for_sensors_counts_for_more_and_more_partitions() -> None:
    few, many = size(), size(rows=86_000_000 * 50)
    assert many.used > few.used
    assert many.mean > few.mean


def test_a_prediction_rises_with_the_clients() -> None:
    demands = Demands(0.006, 0.002)
    few, many = (predict(demands, 2, 2, clients, 1.0) for clients in (1, 200))
    assert few.mean == pytest.approx(0.008, rel=0.01)
    assert many.mean > 2 * few.mean
    assert many.utilisation < 1
    clients = choose_clients(demands, 2, 2, 1.0, 0.6)
    assert predict(demands, 2, 2, clients, 1.0).utilisation == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "failures", "close"),
    [
        ({}, 0, True),
        ({"mean": 0.0124}, 0, True),
        ({"mean": 0.0126}, 0, False),
        ({"throughput": 74}, 0, False),
        ({"utilisation": 0.8}, 0, False),
        ({}, 1, False),
    ],
)
def test_a_quarter_is_the_most_that_they_may_differ(changes: dict[str, float], failures: int, close: bool) -> None:
    expected = Prediction(100, 0.01, 0.03, 0.6)
    assert Comparison(10, expected, replace(expected, **changes), failures).is_close is close


def test_measurements_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    compared = Comparison(10, Prediction(1, 2, 3, 0.4), Prediction(1.5, 2.5, 3.5, 0.5), 0)
    update_measured(path, sources={"postgis": TABLE}, capabilities=MEASURED.capabilities, worker_bytes=170_000_000)
    update_measured(path, sources={"geopackage": MEASURED.sources["geopackage"]}, checked="by hand",
                    comparisons=(compared,))  # fmt: skip
    assert read_measured(path) == replace(MEASURED, comparisons=(compared,))
    assert set(json.loads(path.read_text())["sources"]) == {"geopackage", "postgis"}


def test_the_loads_of_the_document_are_within_a_quarter() -> None:
    comparisons = read_measured().comparisons
    assert len(comparisons) == 3
    assert all(one.is_close for one in comparisons)


def test_the_document_is_what_the_calculator_makes_of_the_measurements() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert text.count("```sh\npython -m benchmarks.capacity --stations") == 3
    assert fill(text, read_measured()) == text


def test_the_command_prints_the_plan() -> None:
    command = [sys.executable, "-m", "benchmarks.capacity", "--stations", "5_000", "--rows", "1,000,000,000"]
    done = subprocess.run([*command, "--requests", "100"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout in DOCUMENT.read_text("utf-8")


def test_a_command_without_a_site_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--stations", "5"])
    assert ended.value.code == 2
    assert "expected --stations, --rows and --requests" in capsys.readouterr().err


@pytest.mark.slow
def test_a_partitioned_table_is_measured(tmp_path: Path) -> None:
    rows, target = 150_000, tmp_path / "measured.json"
    update_measured(target, worker_bytes=1, checked="", comparisons=())
    with require_cluster() as cluster:
        make_table(cluster, rows, stations=1000, minutes=10)
        measure_cluster(cluster, tmp_path, rows, target, times=2, pause=0)
    measured = read_measured(target)
    times = measured.sources["postgis"]
    assert (times.rows, times.stations, times.partitions) == (rows, 1000, 1)
    assert times.table_bytes > 100 * times.rows * 0.8
    counts = {kind: work.rows for kind, work in times.works.items()}
    assert counts["latest of one station"] == 1
    assert counts["latest of all stations"] == 1000
    assert counts["one day of all stations"] == 144_000
    assert counts["a million rows"] == rows
    assert times.works["a million rows"].server > 0
    assert [one.stations for one in measured.capabilities] == [1000, 20_000]


@pytest.mark.slow
def test_a_check_runs_a_load_beside_its_prediction(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.capacity", "--check", "--keep", "--data", str(tmp_path)]
    more = ["--uses", "0.05", "--seconds", "2", "--file-rows", "60_000"]
    done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=300)
    # 1 says that they are not close, which other work on this machine may cause.
    assert done.returncode in (0, 1), done.stderr
    assert "| predicted |" in done.stdout
    assert "| measured |" in done.stdout
