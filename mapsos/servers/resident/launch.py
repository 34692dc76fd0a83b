"""Start a worker from a CGI process: at most one for each name, detached from its parent."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from mapsos.files.private_folder import locate_folder, open_folder
from mapsos.servers.resident.worker_name import name_worker, pick_environ

LOCK, FOLDER = 3, 4
"""File descriptors of a worker: its lock, which it holds as long as it has its name, and the folder of its socket."""


def start_worker(environ: Mapping[bytes, bytes]) -> bool:
    """Start the worker for this environment, unless one runs already. Return whether it was started.

    Returns at once: the worker listens about a second later. It inherits only the working directory and
    `pick_environ` from this process: no open files, no session, no parent.

    Raises
    ------
    OSError
        No safe folder (`open_folder`) exists or can be created, or no process can be started.
    """
    if not sys.executable or not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(FileExistsError):
        os.mkdir(locate_folder(environ), 0o700)
    folder = open_folder(environ)
    try:
        name = name_worker(environ)
        lock = take_lock(folder, name)
        if lock is None:
            return False
        try:
            _start_detached(lock, folder, name, pick_environ(environ))
        finally:
            # The worker has it now: closing one copy of a lock does not release it.
            os.close(lock)
    finally:
        os.close(folder)
    return True


def take_lock(folder: int, name: str) -> int | None:
    """Take the lock of a name. Return its file descriptor, None if another process holds it."""
    while True:
        lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        if holds_name(lock, folder, name):
            return lock
        # Its holder removed the file between opening and locking.
        os.close(lock)


def holds_name(lock: int, folder: int, name: str) -> bool:
    """Return whether the lock is still the file of its name: cleaners of temporary folders may have removed it."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(f"{name}.lock", dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _start_detached(lock: int, folder: int, name: str, environ: Mapping[bytes, bytes]) -> None:
    program = Path(__file__).with_name("run_worker.py")
    command = [sys.executable, "-IS" if sys.flags.isolated else "-SP", str(program), name]
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if not os.fork():
            _become_worker(lock, folder, command, environ)
    finally:
        os._exit(0)


def _become_worker(lock: int, folder: int, command: list[str], environ: Mapping[bytes, bytes]) -> None:
    # High copies first: the numbers wanted may be taken by one another. dup2 makes them inheritable.
    nowhere = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD, 64)
    lock = fcntl.fcntl(lock, fcntl.F_DUPFD, 64)
    folder = fcntl.fcntl(folder, fcntl.F_DUPFD, 64)
    for number, source in ((0, nowhere), (1, nowhere), (2, nowhere), (LOCK, lock), (FOLDER, folder)):
        os.dup2(source, number)
    # The web server waits for the end of every pipe that it gave to the CGI process.
    os.closerange(FOLDER + 1, os.sysconf("SC_OPEN_MAX"))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execve(command[0], command, environ)
