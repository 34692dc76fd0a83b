"""The private folder that the processes of one server count in, and which of its files belongs to which process.

The library writes one set of files for each process and names it by a number of our choice, here a *slot*. A process
holds its slot by a lock that the kernel releases when the process ends, however it ends. So a killed process is known
to be dead under any server. The next process takes the slot over with what was counted in it: there are as many files
as processes ran at once, however many have ever run.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import os
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from mapsos.files.private_folder import locate_folder, open_private

_NAME = re.compile(r"metrics-(\d+)-(\d*)")
_LOCKS = "locks"
_ALLOCATED = {"counter": 1 << 16, "histogram": 1 << 17, "gauge_livesum": 1 << 12}
"""Bytes that are allocated at once for each file of a slot."""


class MetricsFolder:
    """An open folder of counters. At most one object for each folder in a process: closing its file drops its locks.

    Attributes
    ----------
    path
        Where the folder is.
    created
        When counting began, in seconds since 1970 UTC.

    Raises
    ------
    OSError
        The folder is gone, or cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locks = os.open(path / _LOCKS, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        # Nothing is ever written to this file: its time stays that of its creation.
        self.created = os.fstat(self._locks).st_mtime
        self._mutex = threading.Lock()
        self._owner = 0
        self._slot = -1

    def hold_slot(self) -> int:
        """Return the slot of this process; a forked process takes a new one.

        Raises
        ------
        OSError
            The files of a new slot cannot be made.
        """
        with self._mutex:
            if self._owner != os.getpid():
                slot = next(slot for slot in itertools.count() if _try_lock(self._locks, slot, fcntl.LOCK_EX))
                self._drop_gauges(slot)
                self._allocate(slot)
                self._owner, self._slot = os.getpid(), slot
            return self._slot

    def forget_dead(self) -> None:
        """Drop what only living processes have, requests in flight for one, of all processes that have ended."""
        own = self.hold_slot()
        with self._mutex:
            for file in self.path.glob("gauge_live*.db"):
                slot = int(file.stem.rpartition("_")[2])
                # A shared lock: others may look at the same time, but no new process takes the slot meanwhile.
                if slot != own and _try_lock(self._locks, slot, fcntl.LOCK_SH):
                    try:
                        self._drop_gauges(slot)
                    finally:
                        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, slot)

    def _drop_gauges(self, slot: int) -> None:
        # 70 ms of a process that only creates the folder.
        from prometheus_client.multiprocess import mark_process_dead

        with contextlib.suppress(FileNotFoundError):
            mark_process_dead(slot, self.path)  # type: ignore[no-untyped-call]

    def _allocate(self, slot: int) -> None:
        """Allocate new files whole: a full file system is an error here, but kills a process that writes to a hole."""
        for kind, size in _ALLOCATED.items():
            path = self.path / f"{kind}_{slot}.db"
            if path.exists():
                continue
            # Only files named .db are read: a file without its first bytes must not be visible.
            new = path.with_suffix(".new")
            file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, size)
            finally:
                os.close(file)
            new.rename(path)


@functools.cache
def share_folder(parent: int) -> MetricsFolder:
    """Return the open folder of the children of a process, this one among them. Raises OSError as `create_folder`."""
    return MetricsFolder(create_folder(parent, list_roots(os.environb)))


def create_folder(owner: int, roots: Sequence[bytes]) -> Path:
    """Create the folder of a process and its children, if it is not there yet, and remove those of ended processes.

    Parameters
    ----------
    owner
        The process.
    roots
        Folders that may hold it, made if need be: it is in the first that is this user's alone.

    Raises
    ------
    OSError
        None of them can be used; what is wrong with the last. Or the process has ended.
    """
    # Not every system tells when a process began.
    if not _read_start(owner) and _read_start(os.getpid()):
        raise ProcessLookupError(f"process {owner}, whose children were to share them, has ended")
    for root in roots[:-1]:
        with contextlib.suppress(OSError):
            return _create_below(root, owner)
    return _create_below(roots[-1], owner)


def list_roots(environ: Mapping[bytes, bytes]) -> list[bytes]:
    """Return where a folder may be: ``mapsos`` in XDG_RUNTIME_DIR, and ``mapsos-UID`` in /dev/shm and /tmp."""
    # /tmp comes last: on many systems files there are removed after some days.
    roots = [b"/dev/shm/mapsos-%d" % os.geteuid(), locate_folder({})]
    return [locate_folder(environ), *roots] if environ.get(b"XDG_RUNTIME_DIR", b"").startswith(b"/") else roots


def _create_below(root: bytes, owner: int) -> Path:
    with contextlib.suppress(FileExistsError):
        os.mkdir(root, 0o700)
    folder = open_private(root)
    try:
        _remove_old(folder)
        name = f"metrics-{owner}-{_read_start(owner)}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=folder)
    finally:
        os.close(folder)
    return Path(os.fsdecode(root), name)


def _remove_old(folder: int) -> None:
    """Remove what was counted for processes that have ended, unless their children still count."""
    for name in os.listdir(folder):
        match = _NAME.fullmatch(name)
        if match and _read_start(int(match[1])) != match[2] and not _is_locked(name, folder):
            shutil.rmtree(name, ignore_errors=True, dir_fd=folder)


def _is_locked(name: str, folder: int) -> bool:
    """Return whether a process counts there: one of another container that shares /dev/shm cannot be seen in /proc."""
    try:
        file = os.open(f"{name}/{_LOCKS}", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(file)


def _try_lock(file: int, slot: int, kind: int) -> bool:
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB, 1, slot)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _read_start(process: int) -> str:
    """Return when a process was started, in ticks since the machine was; empty if it cannot be found."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            # The second word is the name of the program, which may contain spaces and brackets.
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except OSError:
        return ""
