"""The private folder, and whom both sides trust."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mapsos.files.private_folder import locate_folder, open_folder
from mapsos.servers.resident import client
from mapsos.servers.resident.wire import write_request
from mapsos.servers.resident.worker_name import name_worker, pick_environ

from .conftest import CAPABILITIES, Site

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a while")


def is_answered_without_worker(site: Site) -> bool:
    answer = site.ask(CAPABILITIES)
    assert (answer.code, b"</sos:Capabilities>" in answer.out) == (0, True)
    assert " WARNING cannot start a CGI worker: " in answer.log
    return answer.alone and not site.processes()


def open_to_others(site: Site) -> None:
    site.sockets.mkdir()
    site.sockets.chmod(0o750)


def link(site: Site) -> None:
    (site.folder / "elsewhere").mkdir(mode=0o700)
    site.sockets.symlink_to(site.folder / "elsewhere")


def plain_file(site: Site) -> None:
    site.sockets.write_text("")


def without_parent(site: Site) -> None:
    site.sockets.parent.rmdir()


def of_another(site: Site) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    site.sockets.mkdir(mode=0o700)
    os.chown(site.sockets, NOBODY, NOBODY)


@pytest.mark.parametrize("spoil", [open_to_others, link, plain_file, without_parent, of_another])
def test_without_a_safe_folder_there_is_no_worker(site: Site, spoil: Callable[[Site], None]) -> None:
    spoil(site)
    assert is_answered_without_worker(site)


def test_a_folder_that_gets_unsafe_is_not_looked_into(site: Site) -> None:
    site.warm()
    site.sockets.chmod(0o755)
    assert site.ask(CAPABILITIES).alone


@as_root
def test_the_worker_answers_its_own_user_only(site: Site) -> None:
    worker = site.warm()
    (path,) = site.sockets.glob("*.socket")
    variables = Path(f"/proc/{worker}/environ").read_bytes().rstrip(b"\0").split(b"\0")
    environ = {name: value for name, _, value in (variable.partition(b"=") for variable in variables)}
    for opened in (site.folder, site.sockets.parent, site.sockets):
        opened.chmod(0o711)
    path.chmod(0o777)

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(path))
            try:
                connection.sendall(write_request(environ))
                return connection.recv(1)
            except ConnectionError:
                return b""

    assert ask() == b"A"
    os.seteuid(NOBODY)
    try:
        assert ask() == b""
    finally:
        os.seteuid(0)


@as_root
def test_a_process_trusts_no_socket_of_another(site: Site) -> None:
    site.warm()
    (path,) = site.sockets.glob("*.socket")
    site.folder.chmod(0o777)
    with socket.socket(socket.AF_UNIX) as strange:
        os.seteuid(NOBODY)
        try:
            strange.bind(str(site.folder / "strange"))
            strange.listen()
        finally:
            os.seteuid(0)
        (site.folder / "strange").rename(path)
        assert site.ask(CAPABILITIES).alone
        connection, _ = strange.accept()
        with connection:
            assert connection.recv(100) == b""


@pytest.mark.parametrize(("user", "group", "own"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_both_user_and_group_count(monkeypatch: pytest.MonkeyPatch, user: int, group: int, own: bool) -> None:
    one, other = socket.socketpair()
    user, group = os.geteuid() + user, os.getegid() + group
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr("os.getegid", lambda: group)
    with one, other:
        assert client.is_own(one) == own


def test_where_the_folder_is() -> None:
    assert locate_folder({b"XDG_RUNTIME_DIR": b"/run/user/7"}) == b"/run/user/7/mapsos"
    for variables in ({}, {b"XDG_RUNTIME_DIR": b""}, {b"XDG_RUNTIME_DIR": b"relative"}):
        assert locate_folder(variables) == b"/tmp/mapsos-%d" % os.geteuid()


def test_a_folder_that_is_not_there_is_not_made_by_looking(site: Site) -> None:
    with pytest.raises(FileNotFoundError):
        open_folder({b"XDG_RUNTIME_DIR": os.fsencode(site.folder / "run")})


STEERING = (b"MS_MAPFILE", b"MAPSERVER_CONFIG_FILE", b"PGPASSWORD", b"GDAL_CACHEMAX", b"OGR_SQLITE_CACHE", b"HOME",
            b"PROJ_DATA", b"LC_ALL", b"TZ")  # fmt: skip
OF_A_REQUEST = (b"QUERY_STRING", b"HTTP_COOKIE", b"HTTP_PGPASSWORD", b"PATH_INFO", b"SERVER_NAME", b"UNIQUE_ID",
                b"SSL_CIPHER", b"REMOTE_ADDR", b"HTTPS", b"CONTENT_LENGTH", b"REDIRECT_STATUS")  # fmt: skip


def test_variables_that_steer_make_the_worker_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick_environ(dict.fromkeys(STEERING + OF_A_REQUEST, b"x")) == dict.fromkeys(STEERING, b"x")
    plain = name_worker({})
    assert name_worker(dict.fromkeys(OF_A_REQUEST, b"x")) == plain
    names = {name_worker({name: value}) for name in STEERING for value in (b"", b"1")}
    assert len(names | {plain}) == 2 * len(STEERING) + 1


def test_the_working_directory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_worker({})
    monkeypatch.chdir("/")
    assert name_worker({}) != before
