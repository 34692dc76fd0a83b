"""Processes that are killed, stopped or leave at any moment: on both sides."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.servers.resident.unfinished import begin_post
from tests.support.open_files import list_open
from tests.support.workers import wait_for

from .conftest import BIG_ROWS, CAPABILITIES, OBSERVATIONS, Site, finish, make_impatient

BIG = "map=big&" + OBSERVATIONS
END = b"</om:ObservationCollection>"




def begin_big(site: Site) -> subprocess.Popen[bytes]:
    """Start a large answer of which nothing but the beginning is read."""
    process = site.start(BIG)
    assert process.stdout is not None
    assert process.stdout.read(100).startswith(b"Content-Type: text/xml")
    return process


def open_files(process: int, name: str) -> int:
    """How often a process has a file open."""
    return sum(path.endswith(name) for path in list_open(process).values())


def kill(process: int) -> None:
    """Kill a worker, and come back when it is no more."""
    os.kill(process, signal.SIGKILL)

    def ended() -> bool:
        try:
            with open(f"/proc/{process}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(ended, "the end of the worker")


def test_a_worker_that_was_killed_is_replaced(site: Site) -> None:
    first = site.warm()
    kill(first)
    assert list(site.sockets.glob("*.socket"))
    answer = site.ask(CAPABILITIES)
    assert answer.alone
    assert (answer.code, b"</sos:Capabilities>" in answer.out) == (0, True)
    wait_for(site.has_worker, "another worker")
    assert not site.ask(CAPABILITIES).alone
    assert first not in site.processes()
    assert len(list(site.sockets.glob("*.socket"))) == 1


def test_killed_before_it_has_answered_anything_it_is_not_missed(site: Site) -> None:
    worker = site.warm()
    process = begin_post(site, CAPABILITIES[:10].encode())
    kill(worker)
    answer = finish(process, CAPABILITIES[10:].encode())
    assert answer.alone
    assert (answer.code, b"</sos:Capabilities>" in answer.out) == (0, True)


def test_killed_in_the_middle_the_document_stays_unfinished(site: Site) -> None:
    worker = site.warm()
    process = begin_big(site)
    kill(worker)
    answer = finish(process)
    assert not answer.alone
    assert answer.code == 1
    assert END not in answer.out


def test_a_worker_that_hangs_is_left_alone(site: Site) -> None:
    make_impatient(site)
    worker = site.warm()
    os.kill(worker, signal.SIGSTOP)
    try:
        answer = site.ask(CAPABILITIES)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert answer.alone
    assert (answer.code, b"</sos:Capabilities>" in answer.out) == (0, True)
    assert site.processes() == [worker]
    wait_for(lambda: not site.ask(CAPABILITIES).alone, "an answer of the worker")


def test_a_reader_that_stops_holds_up_nobody_else_and_little_data(site: Site) -> None:
    worker = site.warm()
    process = begin_big(site)
    assert open_files(worker, "/many.gpkg") > 0
    assert not site.ask(CAPABILITIES).alone
    answer = finish(process)
    assert not answer.alone
    assert answer.code == 0
    assert answer.out.count(b"<om:member>") == BIG_ROWS
    assert answer.out.rstrip().endswith(END)
    wait_for(lambda: open_files(worker, "/many.gpkg") == 0, "the release of the data")


def test_a_client_that_goes_away_ends_the_reading(site: Site) -> None:
    worker = site.warm()
    process = begin_big(site)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    answer = finish(process)
    log = answer.log
    assert not answer.alone
    assert answer.code == 0
    assert "GET big GetObservation 200" in log
    assert "ms unfinished, from -, id " in log
    assert "Traceback" not in log
    wait_for(lambda: open_files(worker, "/many.gpkg") == 0, "the release of the data")
    assert not site.ask(CAPABILITIES).alone


def test_a_killed_cgi_process_ends_the_reading(site: Site) -> None:
    worker = site.warm()
    process = begin_big(site)
    process.kill()
    process.communicate()
    wait_for(lambda: open_files(worker, "/many.gpkg") == 0, "the release of the data")
    assert not site.ask(CAPABILITIES).alone


def test_told_to_leave_it_finishes_what_it_has_begun(site: Site) -> None:
    worker = site.warm()
    process = begin_big(site)
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: not list(site.sockets.iterdir()), "the release of the name")
    # Its name is free, and its place taken, while it is still at work.
    second = site.warm()
    assert sorted(site.processes()) == sorted([worker, second])
    answer = finish(process)
    assert answer.code == 0
    assert answer.out.rstrip().endswith(END)
    wait_for(lambda: site.processes() == [second], "the end of the first")
    assert not site.ask(CAPABILITIES).alone


def test_memory_stays_flat(site: Site) -> None:
    worker = site.warm()

    def resident() -> int:
        with open(f"/proc/{worker}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(3):
        assert not site.ask(BIG).alone
    before = resident()
    for _ in range(6):
        assert not site.ask(BIG).alone
    # One answer has 40 MB.
    assert resident() - before < 20_000_000
