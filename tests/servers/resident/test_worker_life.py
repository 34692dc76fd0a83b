"""One worker for each kind of process: how it starts, what it is made of, and when it leaves."""

from __future__ import annotations

import os
from pathlib import Path

from tests.servers.resident.unfinished import begin_post
from tests.support.open_files import list_open
from tests.support.workers import wait_for

from .conftest import CAPABILITIES, OBSERVATIONS, Site, change_module, copy_package, finish, make_impatient


def test_twenty_first_requests_start_one_worker(site: Site) -> None:
    processes = [site.start(CAPABILITIES) for _ in range(20)]
    seen: set[int] = set()
    for process in processes:
        answer = finish(process)
        assert (answer.code, answer.out.count(b"</sos:Capabilities>")) == (0, 1)
        seen |= set(site.processes())
    wait_for(site.has_worker, "a worker")
    assert len(seen | set(site.processes())) == 1
    assert not site.ask(CAPABILITIES).alone


def test_twenty_requests_at_once_are_all_answered_by_it(site: Site) -> None:
    worker = site.warm(MAPSOS_CGI_WORKER_REQUESTS="3")
    processes = [site.start(OBSERVATIONS, MAPSOS_CGI_WORKER_REQUESTS="3") for _ in range(20)]
    answers = [finish(process) for process in processes]
    assert {(answer.code, answer.out.count(b"<om:member>")) for answer in answers} == {(0, 20)}
    assert site.processes() == [worker]


def test_while_it_has_no_room_others_answer_by_themselves(site: Site) -> None:
    make_impatient(site)
    site.environ["MAPSOS_CGI_WORKER_REQUESTS"] = "1"
    site.warm()
    waiting = begin_post(site, CAPABILITIES[:10].encode())
    assert site.ask(CAPABILITIES).alone
    assert not finish(waiting, CAPABILITIES[10:].encode()).alone
    wait_for(lambda: not site.ask(CAPABILITIES).alone, "an answer of the worker")
    assert len(site.processes()) == 1


def test_idle_it_leaves_and_takes_its_files_with_it(site: Site) -> None:
    site.warm(MAPSOS_CGI_WORKER_IDLE="5")
    wait_for(lambda: not site.processes(), "its end")
    assert list(site.sockets.iterdir()) == []


def test_a_request_under_way_is_not_idleness(site: Site) -> None:
    site.environ["MAPSOS_CGI_WORKER_IDLE"] = "10"
    worker = site.warm()
    waiting = begin_post(site, CAPABILITIES[:10].encode())
    # A worker of other settings comes, stays longer and goes meanwhile.
    other = site.warm(MAPSOS_CGI_WORKER_IDLE="11")
    wait_for(lambda: other not in site.processes(), "the end of the other")
    assert site.processes() == [worker]
    assert not finish(waiting, CAPABILITIES[10:].encode()).alone


def test_it_has_nothing_of_the_process_that_started_it(site: Site) -> None:
    worker = site.warm(HTTP_SECRET="of-a-client")
    with open(f"/proc/{worker}/stat") as file:
        _, parent, group, session = file.read().rpartition(")")[2].split()[:4]
    assert group == session != str(os.getsid(0))
    assert int(parent) != os.getpid()
    files = list_open(worker)
    assert {files[number] for number in "012"} == {os.devnull}
    assert Path(files["4"]) == site.sockets
    assert not [name for name in files.values() if name.startswith("pipe:")]
    variables = Path(f"/proc/{worker}/environ").read_bytes()
    assert b"of-a-client" not in variables
    assert b"QUERY_STRING" not in variables


def test_its_files_are_for_its_user_alone(site: Site) -> None:
    before = os.umask(0)
    try:
        site.warm()
    finally:
        os.umask(before)
    assert site.sockets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in site.sockets.iterdir()} == {0o600}


def test_other_settings_have_another_worker(site: Site) -> None:
    nonsense = "service=SOS&request=Nonsense"
    first = site.warm()
    second = site.warm(MAPSOS_HTTP_STATUS="on")
    assert first != second
    assert not site.ask(nonsense).out.startswith(b"Status:")
    answer = site.ask(nonsense, MAPSOS_HTTP_STATUS="on")
    assert not answer.alone
    assert answer.out.startswith(b"Status: 400 ")


def test_what_clients_say_makes_no_other_worker(site: Site) -> None:
    site.warm()
    assert not site.ask(CAPABILITIES, HTTP_ACCEPT="x", REMOTE_ADDR="192.0.2.1", UNIQUE_ID="a", SSL_CIPHER="b").alone


def test_a_changed_mapfile_is_read_by_the_next_request(site: Site) -> None:
    site.warm()
    site.write_map("a", "Changed", "few")
    answer = site.ask(CAPABILITIES)
    assert not answer.alone
    assert b"<ows:Title>Changed</ows:Title>" in answer.out


def test_a_changed_configuration_holds_for_the_next_request(site: Site) -> None:
    first = site.warm()
    (site.folder / "mapsos.conf").write_text('CONFIG ENV MS_MAPFILE "big.map" END END')
    answer = site.ask(CAPABILITIES)
    assert answer.alone
    assert b"<ows:Title>Many</ows:Title>" in answer.out
    wait_for(lambda: not site.ask(CAPABILITIES).alone, "an answer of another worker")
    assert b"<ows:Title>Many</ows:Title>" in site.ask(CAPABILITIES).out
    wait_for(lambda: first not in site.processes(), "the end of the first worker")


def test_a_changed_package_ends_the_worker(site: Site) -> None:
    package = copy_package(site)
    old, new = b"QUERY_STRING is set, but empty.", b"QUERY_STRING is EMPTY."
    site.ask(CAPABILITIES)
    wait_for(lambda: not (site.ask("")).alone, "an answer of the worker")
    assert old in site.ask("").out
    change_module(package / "sos" / "v1" / "interface.py", old.decode(), new.decode())
    wait_for(lambda: new in site.ask("").out, "an answer of the new package")
    answers = []
    wait_for(lambda: answers.append(site.ask("")) or not answers[-1].alone, "an answer of the new worker")
    assert all(new in answer.out for answer in answers)
    wait_for(lambda: len(site.processes()) == 1, "the end of the old worker")


def test_one_that_has_grown_too_large_leaves_when_it_has_nothing_to_do(site: Site) -> None:
    worker = copy_package(site) / "servers" / "resident" / "worker.py"
    change_module(worker, "LARGEST_MEMORY = 500 ", "LARGEST_MEMORY = 5 ")
    site.ask(CAPABILITIES)
    wait_for(lambda: not site.ask("").alone, "an answer of the worker")
    wait_for(lambda: not site.processes(), "its end")
    assert list(site.sockets.iterdir()) == []


def test_a_log_that_is_rotated_goes_on_in_the_new_file(site: Site) -> None:
    log = site.folder / "log"
    site.environ["MS_ERRORFILE"] = str(log)
    site.warm()
    log.rename(site.folder / "log.1")
    answer = site.ask(CAPABILITIES)
    assert not answer.alone
    assert answer.log == ""
    assert log.read_text().count("\n") == 1
    assert "GET /m GetCapabilities 200" in log.read_text()
