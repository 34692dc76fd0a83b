"""What processes count together: nothing is lost or counted twice, whichever of them ends and however."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mapsos.web import metrics as module
from mapsos.web.metrics import BOUNDS, Metrics
from mapsos.web.metrics_folder import share_metrics
from tests.support.metrics_page import read

OPERATIONS = ("GetCapabilities", "GetObservation")




def in_child(work: Callable[[], object], *, killed: bool = False) -> None:
    """Do it in a forked process, which ends at once or is killed."""
    child = os.fork()
    if not child:
        try:
            work()
            if killed:
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == killed


def observe(metrics: Metrics, seconds: float = 0.02, status: int = 200, outcome: str = "complete") -> None:
    metrics.begin()
    metrics.finish("GetObservation", status, seconds, 168, 1000, outcome)


def test_what_is_counted() -> None:
    metrics = Metrics(OPERATIONS, "1.2.3")
    observe(metrics)
    observe(metrics, 3.0, 500, "broken")
    metrics.begin()
    metrics.finish("", 418, 0.001, 0, 5, "complete")
    metrics.begin()
    found = read(metrics.write())
    assert found['mapsos_requests_total{operation="GetObservation",status="200"}'] == 1
    assert found['mapsos_requests_total{operation="GetObservation",status="500"}'] == 1
    assert found['mapsos_requests_total{operation="other",status="other"}'] == 1
    assert found['mapsos_answers_total{outcome="broken"}'] == 1
    assert found['mapsos_answers_total{outcome="complete"}'] == 2
    assert found['mapsos_rows_total{operation="GetObservation"}'] == 336
    assert found['mapsos_response_bytes_total{operation="GetObservation"}'] == 2000
    assert found["mapsos_requests_in_flight"] == 1
    assert found['mapsos_info{version="1.2.3"}'] == 1
    assert found["mapsos_start_time_seconds"] > 1.7e9


def test_the_histogram_is_cumulative() -> None:
    metrics = Metrics(OPERATIONS)
    for seconds in (0.005, 0.0051, 0.3, 100.0):
        observe(metrics, seconds)
    found = read(metrics.write())
    name = 'mapsos_request_seconds_bucket{operation="GetObservation",le="%s"}'
    counts = [found[name % bound] for bound in (*BOUNDS, "+Inf")]
    assert counts == sorted(counts)
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (1, 2, 3, 4)
    assert found['mapsos_request_seconds_count{operation="GetObservation"}'] == 4
    assert found['mapsos_request_seconds_sum{operation="GetObservation"}'] == pytest.approx(100.3101)


def test_no_version_is_told_where_there_is_none_to_tell() -> None:
    assert "mapsos_info" not in Metrics(OPERATIONS).write()


def test_processes_count_together_and_the_dead_stay_counted() -> None:
    metrics = Metrics(OPERATIONS)
    observe(metrics)
    for killed in (False, True):
        in_child(lambda: observe(metrics), killed=killed)
    # One is killed in the middle of an answer.
    in_child(metrics.begin, killed=True)
    found = read(metrics.write())
    assert found['mapsos_requests_total{operation="GetObservation",status="200"}'] == 3
    assert found["mapsos_requests_in_flight"] == 0
    assert found["mapsos_processes"] == 1


def test_another_process_sees_all_and_who_lives() -> None:
    metrics = Metrics(OPERATIONS)
    observe(metrics)
    metrics.begin()

    def look() -> None:
        observe(metrics)
        page = read(metrics.write())
        right = page['mapsos_requests_total{operation="GetObservation",status="200"}'] == 2
        os._exit(0 if right and page["mapsos_requests_in_flight"] == 1 and page["mapsos_processes"] == 2 else 1)

    child = os.fork()
    if not child:
        look()
    assert os.waitpid(child, 0)[1] == 0


def test_a_slot_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PROCESSES", 2)
    metrics = Metrics(OPERATIONS)
    observe(metrics)
    for _ in range(5):
        in_child(lambda: observe(metrics))
    assert read(metrics.write())['mapsos_requests_total{operation="GetObservation",status="200"}'] == 6


def test_one_process_too_many_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST_PROCESSES", 1)
    metrics = Metrics(OPERATIONS)
    observe(metrics)
    in_child(lambda: observe(metrics))
    assert read(metrics.write())['mapsos_requests_total{operation="GetObservation",status="200"}'] == 1


def test_children_of_one_parent_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "mapsos").mkdir(0o700)
    old = tmp_path / "mapsos" / "metrics-1-1-00"
    old.write_bytes(b"")
    for _ in range(2):
        # Both are children of this process, as workers are of their server.
        in_child(lambda: observe(share_metrics(OPERATIONS, None, "a.conf")))
    in_child(lambda: observe(share_metrics(OPERATIONS, None, "other.conf")))

    def look() -> None:
        found = read(share_metrics(OPERATIONS, None, "a.conf").write())
        (tmp_path / "seen").write_text(str(found['mapsos_requests_total{operation="GetObservation",status="200"}']))

    in_child(look)
    assert (tmp_path / "seen").read_text() == "2.0"
    assert not old.exists()


def test_without_a_safe_folder_a_process_counts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "mapsos").mkdir()
    (tmp_path / "mapsos").chmod(0o755)
    metrics = share_metrics(OPERATIONS, None, "a.conf")
    observe(metrics)
    assert "each process counts for itself" in caplog.text
    assert read(metrics.write())['mapsos_answers_total{outcome="complete"}'] == 1
