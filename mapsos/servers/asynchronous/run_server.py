"""Run uvicorn: worker processes that share a socket, each with an event loop and the threads of its adapter."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import uvicorn
from uvicorn.supervisors import Multiprocess

from mapsos.config.settings import Settings
from mapsos.servers.asynchronous.adapter import AsgiAdapter, read_bounds
from mapsos.servers.asynchronous.exchange import UnfinishedError
from mapsos.servers.asynchronous.patient_protocol import PatientProtocol
from mapsos.servers.process import prepare_process
from mapsos.servers.routes import MapRoutes
from mapsos.servers.status import open_metrics

GRACE_SECONDS = 30
"""Seconds in which answers under way may end after SIGTERM."""
_KEEP_ALIVE_SECONDS = 5
_BACKLOG = 2048


class WorkerApplication:
    """Makes the application of a worker process (`uvicorn.Config` with ``factory``). It can be pickled."""

    def __init__(self, settings: Settings, mapfiles: Mapping[str, str], threads: int | None) -> None:
        self._settings = settings
        self._mapfiles = dict(mapfiles)
        self._threads = threads

    def __call__(self) -> AsgiAdapter:
        """Return the application. Settings of GDAL and the log are applied to the process before."""
        prepare_process(self._settings, sys.stdout, "info")
        raise_file_limit()
        # The supervisor decides: a terminal sends SIGINT to all processes.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        routes = MapRoutes(self._settings, self._mapfiles, open_metrics(self._settings))
        return AsgiAdapter(routes, read_bounds(self._settings, self._threads))


def run_server(
    listeners: Sequence[socket.socket], application: WorkerApplication, workers: int, announce: Callable[[], None]
) -> None:
    """Answer requests that arrive at listening sockets until a signal arrives; ``announce`` is called before.

    SIGTERM lets answers under way end, for `GRACE_SECONDS` at most; SIGINT does not. SIGHUP replaces the workers one
    after the other. A worker that ends is replaced.
    """
    config = uvicorn.Config(
        application,
        factory=True,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        workers=workers,
        backlog=_BACKLOG,
        access_log=False,
        log_config=None,
        log_level="warning",
        # Trusted proxies are a matter of the settings, for all servers alike.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    supervisor = _Supervisor(config, list(listeners))
    announce()
    supervisor.run()


class _Supervisor(Multiprocess):
    def handle_int(self) -> None:
        """End the workers at once."""
        for process in self.processes:
            process.kill()
        super().handle_int()


def _follow_parent(parent: int) -> None:
    """End this worker after its supervisor, which would not be there to end it."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets this process have: each client is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a message of uvicorn is worth a line: what breaks an answer off has been logged.

    Malformed requests are not: clients could fill the log.
    """
    error = record.exc_info[1] if record.exc_info else None
    # A task is cancelled where an answer did not end within the grace of a stop.
    return not isinstance(error, UnfinishedError | asyncio.CancelledError) and record.levelno >= logging.ERROR
