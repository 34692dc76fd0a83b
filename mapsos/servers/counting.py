"""The metrics of one server. Import only where the settings switch them on: prometheus-client takes 70 ms."""

from __future__ import annotations

import functools
import logging
import os
import sys

from mapsos.config.settings import Settings
from mapsos.config.version import find_public_version
from mapsos.pages.paths import PAGE_OPERATION
from mapsos.rest.paths import REST_OPERATIONS
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.web.metrics import Metrics
from mapsos.web.metrics_folder import share_folder

log = logging.getLogger("mapsos")


def open_metrics(settings: Settings) -> Metrics:
    """Return the counters of this process, shared with the other children of its parent.

    If they cannot share counters, log the reason and return counters of this process alone.
    """
    open_in = functools.partial(
        Metrics, list_operations(settings), find_public_version(settings.no_version), server=settings.config_file or ""
    )
    try:
        return open_in(folder=share_folder(_find_parent()))
    except OSError as error:
        log.warning("metrics: each process counts by itself: %s", error)
        return open_in(folder=None)


def _find_parent() -> int:
    """Return the process that started this one, which may have ended since: then another has adopted this one."""
    processes = sys.modules.get("multiprocessing.process")
    parent = processes.parent_process() if processes is not None else None
    return os.getppid() if parent is None or parent.pid is None else int(parent.pid)


def list_operations(settings: Settings) -> tuple[str, ...]:
    """Return the names of the operations that answers under these settings can have; clients cannot add one."""
    names = tuple(operation.name for operation in OPERATIONS)
    return (*names, *REST_OPERATIONS, PAGE_OPERATION) if settings.rest else names
