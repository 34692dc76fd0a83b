"""A store that is locked, read-only, full, gone, unsafe or restarted: clear rejections, never open, counted once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest

from mapsos.access.databases import sqlite_database
from mapsos.access.databases.database import StoreError
from mapsos.access.keys import Key
from mapsos.access.log_store import read_entries
from mapsos.access.store import open_store
from tests.support.keyed_service import CAPABILITIES, INTERFACES, NEEDED, OBSERVE, Server, read_text, write_service
from tests.support.postgresql import require_cluster

CLOSED = "API keys cannot be checked"


def check_closed(server: Server) -> None:
    """A request with a right key is rejected by every interface in its own form; without one it is as before."""
    for name in ("observations", "rest", "page"):
        reply = server.ask(INTERFACES[name], "right")
        assert reply.status == 503
        assert CLOSED in read_text(INTERFACES[name], reply)
        assert str(server.folder) not in reply.text
    assert server.ask(OBSERVE).status == 401


def test_a_locked_file(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = server.environ["MAPSOS_KEYS"]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(
            sqlite_database.SqliteConnection, "wait",
            lambda self, seconds: self._connection.execute("PRAGMA busy_timeout = 1"),
        )  # fmt: skip
        check_closed(server)
        assert server.ask(OBSERVE, "right").headers["Retry-After"] == "5"
        other.execute("ROLLBACK")
    assert server.ask(OBSERVE, "right").status == 200
    assert server.count("right") == 1


def test_a_file_that_is_gone_or_replaced(server: Server) -> None:
    path = Path(server.environ["MAPSOS_KEYS"])
    assert server.ask(OBSERVE, "right").status == 200
    beside = path.with_name("beside")
    path.rename(beside)
    check_closed(server)
    assert not path.exists()
    # Another store under its name: what it does not have is unknown.
    fresh = open_store(str(path))
    for more in ("-wal", "-shm"):
        Path(f"{path}{more}").unlink(missing_ok=True)
    fresh.create()
    fresh.database.close()
    assert server.ask(OBSERVE, "right").status == 401


def test_a_file_that_is_not_a_database(server: Server) -> None:
    path = Path(server.environ["MAPSOS_KEYS"])
    for more in ("-wal", "-shm"):
        Path(f"{path}{more}").unlink(missing_ok=True)
    path.unlink()
    path.write_bytes(b"no database" * 1000)
    check_closed(server)


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_could_write_to(server: Server, mode: int) -> None:
    path = Path(server.environ["MAPSOS_KEYS"])
    path.chmod(mode)
    check_closed(server)
    path.chmod(0o600)
    assert server.ask(OBSERVE, "right").status == 200
    path.parent.chmod(0o777)
    check_closed(server)


def test_a_link_counts_with_the_folder_of_its_file(server: Server) -> None:
    path, beside = Path(server.environ["MAPSOS_KEYS"]), server.folder / "beside"
    beside.mkdir(0o700)
    for found in path.parent.glob("keys.db*"):
        found.rename(beside / found.name)
    path.symlink_to(beside / path.name)
    assert server.ask(OBSERVE, "right").status == 200
    beside.chmod(0o777)
    check_closed(server)


def test_a_file_of_mode_0600_is_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    store = open_store(str(tmp_path / "new.db"))
    store.create()
    store.add(Key("a", ""))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.database.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
def test_a_full_disk_and_one_that_is_read_only(server: Server) -> None:
    folder = server.folder / "keys"
    kept = server.folder / "kept"
    shutil.move(folder, kept)
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "keys", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount")
    try:
        for path in kept.iterdir():
            shutil.copy2(path, folder)
        assert server.ask(OBSERVE, "right").status == 200
        counted = server.count("right")
        filler = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while os.write(filler, bytes(4096)):
                pass
        os.close(filler)
        statuses = [server.ask(OBSERVE, "right").status for _ in range(100)]
        assert 503 in statuses
        assert set(statuses) <= {200, 503}
        (folder / "filler").unlink()
        assert server.count("right") == counted + statuses.count(200)
        server.read_log()
        server.close()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        reply = server.ask(OBSERVE, "right")
        assert reply.status == 503
        server.close()
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        assert server.ask(OBSERVE, "right").status == 200
    finally:
        server.close()
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_log_that_cannot_be_written_holds_nothing_up(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("full", "the disk is full")

    monkeypatch.setattr("mapsos.access.request_log.write_entries", fail)
    assert server.ask(OBSERVE, "right").status == 200
    assert server.read_log() == []
    assert "the log of keys lacks 1 requests: the disk is full" in caplog.text


def test_postgresql_that_restarts(server: Server, tmp_path: Path) -> None:
    with require_cluster() as running:
        location = f"postgresql://tester@127.0.0.1:{running.port}/postgres"
        store = open_store(location)
        store.create()
        server.keys["shared"] = store.add(Key("shared", "", per_day=100))
        server.configure(MAPSOS_KEYS=location)
        assert server.ask(OBSERVE, "shared").status == 200
        assert server.ask(OBSERVE, "wrong").status == 401
        assert len(server.read_log()) == 1
        running.stop("fast")
        check_closed_for(server, "shared")
        running.start()
        assert server.ask(OBSERVE, "shared").status == 200
        assert server.ask(CAPABILITIES, "shared").status == 200
        assert server.count("shared") == 3
        # Nothing is being written when the connections end.
        assert len(server.read_log()) == 3
        # A connection that was used and is broken is not used again, nor is a count repeated on it.
        running.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mapsos keys'")
        assert server.ask(OBSERVE, "shared").status == 200
        assert server.count("shared") == 4
        assert [line.name for line in server.read_log()] == ["shared"] * 4
        # An account that can only read.
        running.run("CREATE USER reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        server.configure(MAPSOS_KEYS=location.replace("tester", "reader"))
        check_closed_for(server, "shared")
        # The tables are missing.
        running.run("CREATE DATABASE empty")
        server.configure(MAPSOS_KEYS=location.replace("/postgres", "/empty").replace("tester@", "tester:secret-word@"))
        reply = server.ask(OBSERVE, "shared")
        assert reply.status == 503
        assert "secret-word" not in (server.folder / "log").read_text()
        server.close()
        server.environ = {}
        store.database.close()


@pytest.mark.parametrize("rest", ["@127.0.0.1:x/db", "@[::1/db", "@127.0.0.1:1/db?nothing=1", "@127.0.0.1:1/%zz"])
def test_a_url_that_is_wrong_is_not_logged_with_its_password(server: Server, rest: str) -> None:
    server.configure(MAPSOS_KEYS=f"postgresql://a:secret-word{rest}")
    reply = server.ask(OBSERVE, "right")
    assert reply.status == 503
    assert "secret-word" not in reply.text
    assert "secret-word" not in (server.folder / "log").read_text()


def check_closed_for(server: Server, key: str) -> None:
    reply = server.ask(OBSERVE, key)
    assert reply.status == 503
    assert CLOSED in reply.text
    assert NEEDED in server.ask(OBSERVE).text


def test_a_map_that_needs_no_key_is_open_while_the_store_is_gone(server: Server) -> None:
    write_service(server.folder, web="none")
    Path(server.environ["MAPSOS_KEYS"]).unlink()
    assert server.ask(OBSERVE).status == 200
    assert server.ask(OBSERVE, "right").status == 503


def test_a_pool_of_another_process_is_not_used(server: Server) -> None:
    store = server.store
    store.show("right", 0)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if store.show("right", 0).name == "right" and list(read_entries(store.database)) == [] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.database.close()
