"""The cache folder: files by which processes share results.

A file is trusted only if it and its folder belong to the process's user and no other user can write to either. It is
replaced atomically: a reader sees the old content or the new one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

_refused: set[str] = set()


def read_kept(folder: str, *names: str, most: int = -1) -> bytes | None:
    """Return the first ``most`` bytes (-1: all) of a file below the cache folder; None without a trusted file.

    ``names`` are those of the folders on the way, if any, and of the file.
    """
    path = folder
    try:
        for name in names:
            if not _admit(path):
                return None
            path = os.path.join(path, name)
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(most) if _is_ours(os.fstat(file.fileno()), stat.S_ISREG) else None
    except OSError:
        return None


def write_kept(content: bytes, folder: str, *names: str) -> bool:
    """Write a file below the cache folder, creating the folders. Returns False, without a file, where that fails."""
    path, temporary = folder, None
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        for name in names:
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
            if not _admit(path):
                return False
            path = os.path.join(path, name)
        temporary = os.path.join(os.path.dirname(path), f".{os.getpid()}-{os.urandom(8).hex()}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        return False
    return True


def _admit(folder: str) -> bool:
    """Return whether a cache folder is ours, or a link to one that we or root made, as systemd does for a DynamicUser.

    A folder that is not trusted is logged once. Raises OSError if it is missing.
    """
    link = os.lstat(folder)
    admitted = _is_ours(os.stat(folder), stat.S_ISDIR) and link.st_uid in (os.geteuid(), 0)
    if not admitted and folder not in _refused:
        _refused.add(folder)
        import logging

        logging.getLogger("mapsos").warning(
            "the cache folder %s is not used: it must be a folder of user %d that no other user can write to, "
            "or a link of this user or root to one", folder, os.geteuid(),
        )  # fmt: skip
    return admitted


def _is_ours(status: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
