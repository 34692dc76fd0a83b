"""Workers that are killed in the middle of an answer, clients that read a byte at a time, and full disks."""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.apache import COMMAND, run_apache
from tests.support.processes import list_tree, list_workers
from tests.support.servers import serving
from tests.support.workers import find_workers, runtime_folder, wait_for

from .conftest import CAPABILITIES, END, OBSERVATIONS, Client, Place
from .conftest import ask as answer
from .conftest import read as read_answer

MakePlace = Callable[[str], Place]


def ask(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def memory_of(pid: int) -> int:
    """Bytes of resident memory of a process and its children."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page for one in list_tree([pid]))


@pytest.mark.slow
def test_a_server_whose_worker_is_killed_breaks_off_and_goes_on(make_place: MakePlace) -> None:
    place = make_place("gpkg")
    with serving(place.mapfile) as server:
        client = Client(server.port, f"/rows?{OBSERVATIONS}")
        assert client.receive(100).startswith(b"HTTP/1.1 200 OK")
        (worker,) = list_workers(server.pid)
        os.kill(worker, signal.SIGKILL)
        assert not client.drain()
        assert b"</sos:Capabilities>" in ask(server.port, f"/rows?{CAPABILITIES}")


@pytest.mark.slow
def test_clients_that_read_a_byte_and_wait_hold_up_nobody(make_place: MakePlace) -> None:
    place = make_place("gpkg")
    with serving(place.mapfile) as server:
        whole = ask(server.port, f"/rows?{OBSERVATIONS}")
        before = memory_of(server.pid)
        slow = [Client(server.port, f"/rows?{OBSERVATIONS}") for _ in range(3)]
        # Each has read less than what waits for it: the server cannot go on with any of them.
        for _ in range(3):
            for client in slow:
                assert len(client.receive(1)) == 1
            assert b"</sos:Capabilities>" in ask(server.port, f"/rows?{CAPABILITIES}")
        assert ask(server.port, f"/rows?{OBSERVATIONS}") == whole
        assert memory_of(server.pid) - before < 64 << 20
        for client in slow:
            assert client.drain()


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["data", "worker"])
@pytest.mark.parametrize("name", ["mapsos", "nph-mapsos"])
def test_behind_apache(make_place: MakePlace, tmp_path: Path, name: str, fault: str) -> None:
    """By its usual name Apache ends the response in good order, and only the document is broken; by nph- both are."""
    original = make_place("csv")
    with runtime_folder() as runtime:
        place = Place(runtime / "data", "csv")
        shutil.copytree(original.folder, place.folder)
        (runtime / "bin").mkdir()
        program = runtime / "bin" / name
        program.symlink_to(COMMAND)
        (runtime / "mapsos.conf").write_text(f'CONFIG ENV MS_MAPFILE "{place.mapfile}" END END')
        if os.geteuid() == 0:
            for path in (runtime, *runtime.rglob("*")):
                os.chown(path, pwd.getpwnam("www-data").pw_uid, -1, follow_symlinks=False)
        worker = "on" if fault == "worker" else "off"
        with run_apache(tmp_path, runtime, worker, program, runtime / "mapsos.conf") as port:
            assert b"</sos:Capabilities>" in ask(port, f"/cgi-bin/mapsos?{CAPABILITIES}")
            if fault == "worker":
                wait_for(lambda: list(runtime.glob("mapsos/*.socket")))
            good = place.data.read_bytes()
            client = Client(port, f"/cgi-bin/mapsos?{OBSERVATIONS}")
            assert client.receive(100).startswith(b"HTTP/1.1 200 OK")
            if fault == "worker":
                (process,) = find_workers(runtime)
                os.kill(process, signal.SIGKILL)
            else:
                os.truncate(place.data, 1000)
            assert client.drain() == (name == "mapsos")
            place.data.write_bytes(good)
            assert ask(port, f"/cgi-bin/mapsos?{OBSERVATIONS}").rstrip().endswith(END)


PROGRAM = """
    import resource, signal, sys
    from tests.faults.conftest import DATABLOCK, OBSERVATIONS, CAPABILITIES, Place, ask, read
    from mapsos.encodings import spool
    from pathlib import Path

    place, cache = Place(Path(sys.argv[1]), "gpkg"), sys.argv[2]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    spool.MEMORY_BYTES = 1 << 16
    spool.Spool.__init__.__defaults__ = (1 << 16,)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    application = place.open(MAPSOS_CACHE=cache)
    assert b"</sos:Capabilities>" in read(ask(application, CAPABILITIES))
    assert read(ask(application, OBSERVATIONS)).count(b"<om:member>") == 36_000
    response = ask(application, DATABLOCK)
    text = b""
    try:
        for chunk in response.body:
            text += chunk
    except OSError as error:
        print("broken off:", error.strerror)
    if response.error:
        print("refused")
    assert b"</om:ObservationCollection>" not in text
    assert b"/tmp" not in text
    # What measures the process writes its file at the end.
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


def test_full_disks(make_place: MakePlace, tmp_path: Path) -> None:
    """No file may grow: maps are not kept, whatever needs no temporary file is answered, and the rest is broken off."""
    place = make_place("gpkg")
    cache = tmp_path / "cache"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), place.folder, cache],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("broken off: File too large\n", "refused\n")
    assert list(cache.iterdir()) == []


def test_a_cache_folder_on_a_full_file_system(make_place: MakePlace, tmp_path: Path) -> None:
    place = make_place("gpkg")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", disk], capture_output=True).returncode:
        pytest.skip("file systems are mounted by root only")
    try:
        (disk / "full").write_bytes(b"x" * 8192)
        for _ in range(2):
            application = place.open(MAPSOS_CACHE=str(disk / "cache"))
            assert b"</sos:Capabilities>" in read_answer(answer(application, CAPABILITIES))
        assert list(disk.glob("cache/*")) == []
    finally:
        subprocess.run(["umount", disk], check=True)
