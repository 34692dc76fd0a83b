"""Where processes of one server find the memory that they count in, if their common parent is not ours."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Sequence

from mapsos.servers.resident.worker_name import locate_folder, open_folder
from mapsos.web.metrics import Metrics

log = logging.getLogger("mapsos")

_NAME = re.compile(r"metrics-(\d+)-(\d+)-[0-9a-f]+")


def share_metrics(operations: Sequence[str], version: str | None, server: str) -> Metrics:
    """The metrics that this process shares with the other children of its parent, under one name of ``server``.

    They are in a file in the private folder that CGI workers have as well, until the parent ends. Where there can be
    none, the log says so and this process counts for itself alone.
    """
    environ = os.environb
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(locate_folder(environ), 0o700)
        folder = open_folder(environ)
        try:
            _remove_old(folder)
            labels = hashlib.blake2b("\0".join((server, *operations)).encode(), digest_size=8).hexdigest()
            parent = os.getppid()
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(f"metrics-{parent}-{_read_start(parent)}-{labels}", flags, 0o600, dir_fd=folder)
        finally:
            os.close(folder)
        return Metrics(operations, version, file)
    except OSError as error:
        log.warning("metrics: each process counts for itself: %s", error)
        return Metrics(operations, version)


def _remove_old(folder: int) -> None:
    """Remove what was counted for parents that have ended."""
    for name in os.listdir(folder):
        match = _NAME.fullmatch(name)
        if match and _read_start(int(match[1])) != match[2]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)


def _read_start(process: int) -> str:
    """When a process was started, in ticks since the machine was; empty if there is none."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            # The second word is the name of the program, which may have blanks and brackets in it.
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except OSError:
        return ""
