"""What processes count together: nothing is lost or counted twice, whichever of them ends and however.

Everything is counted in forked processes: the library counts in one way only in each process.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mapsos.config.settings import read_settings
from mapsos.servers.counting import list_operations, open_metrics
from mapsos.sos.v1.operations import OPERATIONS as SOS_OPERATIONS
from mapsos.web import metrics_folder
from mapsos.web.metrics import BOUNDS, Metrics
from mapsos.web.metrics_folder import MetricsFolder, create_folder, list_roots, share_folder
from tests.support.metrics_pages import read_samples

OPERATIONS = ("GetCapabilities", "GetObservation")
OBSERVED = 'mapsos_requests_total{operation="GetObservation",status="200"}'
MAPFILE = str(Path(__file__).parents[2] / "examples" / "mapfiles" / "weather.map")


def in_child(work: Callable[[], object], *, killed: bool = False) -> str:
    """Do it in a forked process, which ends at once or is killed; return what it returned, as text."""
    with tempfile.TemporaryFile("w+") as file:
        child = os.fork()
        if not child:
            code = 1
            try:
                print(work(), end="", file=file, flush=True)
                code = 0
                if killed:
                    os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) if killed else status == 0
        file.seek(0)
        return file.read()


def observe(metrics: Metrics, seconds: float = 0.02, status: int = 200, outcome: str = "complete") -> None:
    metrics.begin()
    metrics.finish("GetObservation", status, seconds, 168, 1000, outcome)


def count(folder: Path, server: str = "") -> None:
    """Count one request, as a new process does."""
    observe(Metrics(OPERATIONS, None, MetricsFolder(folder), server))


def look(folder: Path, server: str = "") -> dict[str, float]:
    """What a new process sees that has answered nothing."""
    return read_samples(in_child(lambda: Metrics(OPERATIONS, None, MetricsFolder(folder), server).write()))


@pytest.fixture(params=["together", "alone"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> MetricsFolder | None:
    """Where a process counts with others, and where it counts alone: the page is the same."""
    return MetricsFolder(tmp_path) if request.param == "together" else None


def test_what_is_counted(opened: MetricsFolder | None) -> None:
    def work() -> str:
        metrics = Metrics(OPERATIONS, "1.2.3", opened)
        observe(metrics)
        observe(metrics, 3.0, 500, "broken")
        metrics.begin()
        metrics.finish("", 418, 0.001, 0, 5, "complete")
        metrics.begin()
        return metrics.write()

    found = read_samples(in_child(work))
    assert found[OBSERVED] == 1
    assert found['mapsos_requests_total{operation="GetObservation",status="500"}'] == 1
    assert found['mapsos_requests_total{operation="other",status="other"}'] == 1
    assert found['mapsos_answers_total{outcome="broken"}'] == 1
    assert found['mapsos_answers_total{outcome="complete"}'] == 2
    assert found['mapsos_answers_total{outcome="unfinished"}'] == 0
    assert found['mapsos_rows_total{operation="GetObservation"}'] == 336
    assert found['mapsos_rows_total{operation="GetCapabilities"}'] == 0
    assert found['mapsos_response_bytes_total{operation="GetObservation"}'] == 2000
    assert found["mapsos_requests_in_flight"] == 1
    assert found["mapsos_processes"] == 1
    assert found['mapsos_info{version="1.2.3"}'] == 1
    assert found["mapsos_start_time_seconds"] > 1.7e9
    assert not [name for name in found if "created" in name or "server" in name]


def test_the_histogram_is_cumulative(opened: MetricsFolder | None) -> None:
    def work() -> str:
        metrics = Metrics(OPERATIONS, None, opened)
        for seconds in (0.005, 0.0051, 0.3, 100.0):
            observe(metrics, seconds)
        return metrics.write()

    found = read_samples(in_child(work))
    name = 'mapsos_request_seconds_bucket{le="%s",operation="GetObservation"}'
    counts = [found[name % bound] for bound in (*BOUNDS, "+Inf")]
    assert counts == sorted(counts)
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (1, 2, 3, 4)
    assert found['mapsos_request_seconds_count{operation="GetObservation"}'] == 4
    assert found['mapsos_request_seconds_sum{operation="GetObservation"}'] == pytest.approx(100.3101)


def test_what_has_not_been_counted_is_described(tmp_path: Path) -> None:
    page = in_child(lambda: Metrics(OPERATIONS, None, MetricsFolder(tmp_path)).write())
    assert "# TYPE mapsos_requests_total counter\n# HELP" in page
    assert "mapsos_info" not in page


def test_clients_cannot_add_labels(tmp_path: Path) -> None:
    def work() -> str:
        metrics = Metrics(OPERATIONS, None, MetricsFolder(tmp_path))
        observe(metrics)
        before = metrics.write()
        for number in range(600, 650):
            metrics.begin()
            metrics.finish(f"Get{number}", number, 0.1, 0, 0, "complete")
        assert metrics.write().count("\n") == before.count("\n") + 1
        return metrics.write()

    assert read_samples(in_child(work))['mapsos_requests_total{operation="other",status="other"}'] == 50


def test_processes_count_together_and_the_dead_stay_counted(tmp_path: Path) -> None:
    in_child(lambda: count(tmp_path))
    in_child(lambda: count(tmp_path), killed=True)
    in_child(lambda: count(tmp_path))
    # One is killed in the middle of an answer.
    in_child(lambda: Metrics(OPERATIONS, None, MetricsFolder(tmp_path)).begin(), killed=True)
    found = look(tmp_path)
    assert found[OBSERVED] == 3
    assert found["mapsos_requests_in_flight"] == 0
    assert found["mapsos_processes"] == 1


def test_a_living_process_sees_that_another_was_killed(tmp_path: Path) -> None:
    def work() -> str:
        metrics = Metrics(OPERATIONS, None, MetricsFolder(tmp_path))
        metrics.begin()
        # A process that is forked off counts for itself.
        in_child(lambda: (metrics.begin(), observe(metrics)), killed=True)
        return metrics.write()

    found = read_samples(in_child(work))
    assert (found["mapsos_requests_in_flight"], found["mapsos_processes"]) == (1, 1)
    assert found[OBSERVED] == 1


def test_a_living_process_sees_what_others_are_at(tmp_path: Path) -> None:
    def work() -> str:
        metrics = Metrics(OPERATIONS, None, MetricsFolder(tmp_path))
        observe(metrics)
        metrics.begin()

        def answer() -> str:
            observe(metrics)
            return metrics.write()

        return in_child(answer)

    found = read_samples(in_child(work))
    assert found[OBSERVED] == 2
    assert (found["mapsos_requests_in_flight"], found["mapsos_processes"]) == (1, 2)


def test_the_files_are_those_of_processes_that_run_at_once(tmp_path: Path) -> None:
    for killed in (False, True) * 3:
        in_child(lambda: count(tmp_path), killed=killed)
    assert look(tmp_path)[OBSERVED] == 6
    assert {path.stem.rpartition("_")[2] for path in tmp_path.glob("*.db")} == {"0"}


def test_counting_began_with_the_first_process(tmp_path: Path) -> None:
    in_child(lambda: count(tmp_path))
    os.utime(tmp_path / "locks", (1.75e9, 1.75e9))
    in_child(lambda: count(tmp_path))
    assert look(tmp_path)["mapsos_start_time_seconds"] == 1.75e9


def test_servers_in_one_folder_do_not_mix(tmp_path: Path) -> None:
    def work() -> str:
        folder = MetricsFolder(tmp_path)
        first, second = (Metrics(OPERATIONS, None, folder, name) for name in ("a.conf", 'b "\n.conf'))
        observe(first)
        observe(first)
        observe(second)
        second.begin()
        return first.write() + "\f" + second.write()

    first, second = map(read_samples, in_child(work).split("\f"))
    assert (first[OBSERVED], second[OBSERVED]) == (2, 1)
    assert (first["mapsos_requests_in_flight"], second["mapsos_requests_in_flight"]) == (0, 1)
    assert look(tmp_path, "c.conf")['mapsos_answers_total{outcome="complete"}'] == 0


def test_children_of_one_parent_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for _ in range(2):
        # Both are children of this process, as workers are of their server.
        in_child(lambda: observe(Metrics(OPERATIONS, None, share_folder(os.getppid()))))
    (folder,) = (tmp_path / "mapsos").iterdir()
    assert folder.name.startswith(f"metrics-{os.getpid()}-")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert look(folder)[OBSERVED] == 2


def test_what_ended_servers_counted_is_removed(tmp_path: Path) -> None:
    root = tmp_path / "mapsos"
    root.mkdir(0o700)
    # This process has not been started at the first moment of the machine; nor does it own the others' counts.
    ended, in_use, other = (root / name for name in (f"metrics-{os.getpid()}-1", "metrics-1-2", "other-1-1"))
    for path in (ended, in_use, other):
        path.mkdir()
        in_child(lambda path=path: count(path))  # type: ignore[misc]

    def work() -> str:
        count(in_use)
        return in_child(lambda: create_folder(os.getppid(), [os.fsencode(root)]).name)

    made = in_child(work)
    # Whoever counts in a folder may be in another container, where processes have other numbers.
    assert {path.name for path in root.iterdir()} == {"metrics-1-2", "other-1-1", made}


def test_children_of_a_server_that_was_killed_share_nothing(tmp_path: Path) -> None:
    """Nothing would remove their folder: another process has adopted them."""
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    with pytest.raises(ProcessLookupError):
        create_folder(killed.pid, [os.fsencode(tmp_path / "mapsos")])
    assert list(tmp_path.iterdir()) == []


def test_a_child_counts_for_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import multiprocessing, os, sys\n"
        "from mapsos.servers.counting import _find_parent\n"
        "def tell(seen):\n"
        "    os.getppid = lambda: 1\n"
        "    seen.put(_find_parent())\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    seen = context.SimpleQueue()\n"
        "    child = context.Process(target=tell, args=(seen,))\n"
        "    child.start(); print(seen.get() == os.getpid()); child.join()\n"
    )
    program = tmp_path / "program.py"
    program.write_text(code)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")


def make_root(folder: Path, mode: int) -> bytes:
    folder.mkdir()
    folder.chmod(mode)
    return os.fsencode(folder)


def test_the_folder_is_in_the_first_safe_place(tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path / "missing" / "mapsos")
    shared = make_root(tmp_path / "shared", 0o755)
    target = make_root(tmp_path / "target", 0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    made = create_folder(os.getpid(), [missing, shared, os.fsencode(link), os.fsencode(tmp_path / "made"), target])
    assert made.parent == tmp_path / "made"
    with pytest.raises(PermissionError, match="shared must belong to user"):
        create_folder(os.getpid(), [missing, shared])


def test_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    assert list_roots({b"XDG_RUNTIME_DIR": b"/run/user/7"})[0] == b"/run/user/7/mapsos"
    for variables in ({}, {b"XDG_RUNTIME_DIR": b"relative"}):
        assert list_roots(variables) == [b"/dev/shm/mapsos-7", b"/tmp/mapsos-7"]


@pytest.mark.parametrize("failing", ["mkdir", "posix_fallocate"])
def test_where_no_folder_can_be_written_to_a_process_counts_alone(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(metrics_folder, "list_roots", lambda environ: [os.fsencode(tmp_path / "mapsos")])
    settings = read_settings({"MAPSOS_METRICS": "on", "MS_MAPFILE": MAPFILE}, None)

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def work() -> str:
        monkeypatch.setattr(os, failing, refuse)
        metrics = open_metrics(settings)
        assert metrics is not None
        observe(metrics)
        return metrics.write() + "\f" + caplog.text

    page, logged = in_child(work).split("\f")
    assert "metrics: each process counts by itself: [Errno 28] No space left on device" in logged
    found = read_samples(page)
    assert found[OBSERVED] == 1
    assert found["mapsos_requests_in_flight"] == 0
    # Nothing is left that others could stumble over.
    for folder in (tmp_path / "mapsos").glob("*"):
        assert look(folder)["mapsos_processes"] == 1


@pytest.mark.parametrize(("rest", "names"), [("on", {"REST observations/query", "REST", "page"}), ("off", set())])
def test_the_operations(rest: str, names: set[str]) -> None:
    listed = list_operations(read_settings({"MAPSOS_REST": rest, "MS_MAPFILE": MAPFILE}, None))
    assert set(listed) >= {*(operation.name for operation in SOS_OPERATIONS), *names}
    assert ("REST services" in listed) == (rest == "on")


WSGI = f"""
import os
os.environ |= {{"MS_MAPFILE": {MAPFILE!r}, "MS_ERRORFILE": "/dev/null"}}
from mapsos.wsgi import application
environ = {{"REQUEST_METHOD": "GET", "QUERY_STRING": "service=SOS&request=GetCapabilities", "wsgi.input": None}}
answer = b"".join(application(environ, lambda *arguments: None))
"""
CGI = f"""
import io
from mapsos.servers.cgi import serve_request
written = io.BytesIO()
given = {{"REQUEST_METHOD": "GET", "QUERY_STRING": "service=SOS&request=GetCapabilities", "MS_MAPFILE": {MAPFILE!r}}}
given["MS_ONLINERESOURCE"] = "http://h/"
serve_request(given | {{"MAPSOS_METRICS": "on", "MAPSOS_CACHE": "off"}}, io.BytesIO(), written)
answer = written.getvalue()
"""


@pytest.mark.parametrize(
    ("program", "switch", "imported"), [(WSGI, "off", False), (WSGI, "on", True), (CGI, "on", False)]
)
def test_the_library_is_imported_only_to_count(program: str, switch: str, imported: bool, tmp_path: Path) -> None:
    environ = os.environ | {"MAPSOS_METRICS": switch, "XDG_RUNTIME_DIR": str(tmp_path), "MS_ONLINERESOURCE": "http://h/"}
    code = f"{program}\nimport sys\nprint(b'<sos:Capabilities' in answer, 'prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == f"True {imported}\n"
