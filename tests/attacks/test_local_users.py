"""Another user of the same machine: cannot talk to the CGI worker, nor plant what it or the cache would trust."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fuzz.victim import SOS, write_victim
from mapsos.files.cache_folder import read_kept, write_kept

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")

NOBODY = 65534
CONNECT = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    sys.exit(error.errno)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder where everybody may write, as /tmp: without the sticky bit, so that nothing else protects."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def as_nobody(*command: str | Path) -> int:
    """Run a command as another user, without any right of this one. Return its exit code."""
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all")
    return subprocess.run([*become, *command], capture_output=True, check=False, cwd="/").returncode


def answer(shared: Path, tmp_path: Path) -> subprocess.CompletedProcess[bytes]:
    """Answer a request by the CGI program, whose runtime and cache folders are in the shared one."""
    environ = {
        "PATH": os.environ["PATH"],
        "XDG_RUNTIME_DIR": str(shared),
        "MAPSOS_CACHE": str(shared / "cache"),
        "MAPSOS_CGI_WORKER_IDLE": "5",
        "MS_MAPFILE": str(write_victim(tmp_path)),
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"{SOS}GetCapabilities",
        "SERVER_NAME": "a.example",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "/sos",
    }
    found = subprocess.run([sys.executable, "-m", "mapsos"], env=environ, capture_output=True, check=False, timeout=60)
    assert b"<sos:ObservationOffering " in found.stdout, found
    return found


def test_nobody_else_can_connect_to_the_worker(shared: Path, tmp_path: Path) -> None:
    # The worker begins to listen while the first requests are answered without it.
    sockets: list[Path] = []
    while not sockets:
        answer(shared, tmp_path)
        sockets = list((shared / "mapsos").glob("*.socket"))
    (address,) = sockets
    with closing(socket.socket(socket.AF_UNIX)) as own:
        own.connect(str(address))
    for program in ("/usr/bin/python3", "/bin/true"):
        assert as_nobody(program, "-c", CONNECT, address) == (0 if program == "/bin/true" else 13)
    assert as_nobody("ls", address.parent) != 0
    assert as_nobody("ls", shared / "cache") != 0
    assert as_nobody("touch", address.parent / "planted") != 0
    assert as_nobody("touch", shared / "cache" / "planted") != 0


def _own_folder(place: Path, bait: Path) -> None:
    place.mkdir()
    os.chown(place, NOBODY, NOBODY)


def _open_folder(place: Path, bait: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def _link_to_own(place: Path, bait: Path) -> None:
    os.chown(bait, NOBODY, NOBODY)
    place.symlink_to(bait)
    os.chown(place, NOBODY, NOBODY, follow_symlinks=False)


def _link_to_ours(place: Path, bait: Path) -> None:
    place.symlink_to(bait)
    os.chown(place, NOBODY, NOBODY, follow_symlinks=False)


def _file(place: Path, bait: Path) -> None:
    place.write_text("planted")
    os.chown(place, NOBODY, NOBODY)


def _pipe(place: Path, bait: Path) -> None:
    os.mkfifo(place, 0o666)
    os.chown(place, NOBODY, NOBODY)


def _socket(place: Path, bait: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(place))
    os.chown(place, NOBODY, NOBODY)


PLANTED = (_own_folder, _open_folder, _link_to_own, _link_to_ours, _file, _pipe, _socket)


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("name", ["mapsos", "cache"])
def test_what_another_user_has_put_there_is_not_used(
    shared: Path, tmp_path: Path, name: str, plant: Callable[[Path, Path], None]
) -> None:
    """The request is answered without the worker or the cache, and nothing is written there or where a link leads."""
    bait = tmp_path / "bait"
    bait.mkdir(mode=0o700)
    plant(shared / name, bait)
    answer(shared, tmp_path)
    assert list(bait.iterdir()) == []
    if (shared / name).is_dir():
        assert list((shared / name).iterdir()) == []


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o664])
def test_a_file_that_others_can_write_is_not_read(shared: Path, mode: int) -> None:
    cache = shared / "cache"
    assert write_kept(b"ours", str(cache), "maps", "a")
    path = cache / "maps" / "a"
    assert read_kept(str(cache), "maps", "a") == b"ours"
    path.chmod(mode)
    assert read_kept(str(cache), "maps", "a") is None
    path.chmod(0o600)
    os.chown(path, NOBODY, NOBODY)
    assert read_kept(str(cache), "maps", "a") is None
    path.unlink()
    path.symlink_to(shared / "elsewhere")
    (shared / "elsewhere").write_text("theirs")
    assert read_kept(str(cache), "maps", "a") is None
    assert write_kept(b"again", str(cache), "maps", "a")
    assert (shared / "elsewhere").read_text() == "theirs"
