"""The resident worker: answers the requests of CGI processes until it is idle, outdated or terminated."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import BinaryIO

from mapsos.app import Application
from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.servers.cgi import answer_request, refuse_request
from mapsos.servers.process import prepare_process
from mapsos.servers.resident.client import is_own
from mapsos.servers.resident.freshness import Freshness
from mapsos.servers.resident.launch import FOLDER, LOCK, holds_name
from mapsos.servers.resident.streams import AnswerOutput, BodyInput, ErrorOutput
from mapsos.servers.resident.wire import ACCEPTED, EXIT, Receiver, read_request, write_frame
from mapsos.servers.resident.worker_name import PACKAGE, address_socket, pick_environ

LARGEST_MEMORY = 500 * 1024 * 1024
"""Bytes of resident memory above which a worker ends as soon as it is idle."""
ROOMS = ("ows", "operations", "sos", "rest", "sources", "encodings")
"""Folders of the package whose modules a worker imports before its first request."""
_GREETING_TIME = 5.0
_BACKLOG = 128

Answer = Callable[[Mapping[str, str], BinaryIO, BinaryIO], int]
"""Answers the request of a CGI environment, as `mapsos.servers.cgi.serve_request` does."""


def main(name: str, freshness: Freshness) -> int:
    """Run the worker of this name with the files that `mapsos.servers.resident.launch` opened. Return its exit code.

    ``freshness`` was made before anything that it watches was imported.
    """
    errors = ErrorOutput()
    sys.stderr = sys.stdout = errors
    environ = dict(os.environb)
    settings, answer = make_answer()
    import_rooms()
    worker = Worker(name, settings, answer, errors, environ, freshness)
    if freshness.holds():
        worker.run()
    return 0


def make_answer() -> tuple[Settings, Answer]:
    """Read the settings of this process and prepare it. Return the settings and the function that answers requests."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        # Bound anew: the name of a caught error ends with its clause.
        failure = error
        return Settings(), lambda environ, stdin, stdout: refuse_request(failure, stdout, environ=environ)
    log = RequestLog(settings)
    application = Application(settings)

    def answer(environ: Mapping[str, str], stdin: BinaryIO, stdout: BinaryIO) -> int:
        log.ensure()
        return answer_request(application, environ, stdin, stdout)

    return settings, answer


class RequestLog:
    """The log under these settings, as if each request opened it: after a rotation it continues in the new file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opening = threading.Lock()
        self._open = self._prepare()

    def ensure(self) -> None:
        """Try again if the file could not be opened; the log of each request contains the reason."""
        if not self._open:
            with self._opening:
                self._open = self._open or self._prepare()

    def _prepare(self) -> bool:
        prepare_process(self._settings)
        watched = _watch_log_file()
        return watched or self._settings.error_file in (None, "stderr", "stdout")


def import_rooms() -> None:
    """Import the modules that requests need, so that no request waits for them."""
    for room in ROOMS:
        for path in sorted(Path(PACKAGE, room).rglob("[a-z]*.py")):
            importlib.import_module(".".join(("mapsos", *path.relative_to(PACKAGE).with_suffix("").parts)))
    for name in ("lxml.etree", "osgeo.ogr", "pyarrow.compute"):
        importlib.import_module(name)


class Worker:
    """Listens under its name and answers several requests at once, each in a thread, until it has to end.

    Parameters
    ----------
    name
        Its name; the lock of the name and the folder of the socket are open as `LOCK` and `FOLDER`.
    settings
        ``cgi_worker_idle`` and ``cgi_worker_requests`` are used.
    answer
        Answers a request.
    errors
        The stream of the log.
    environ
        The variables of the requests that it may answer.
    freshness
        It ends once that no longer holds.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        answer: Answer,
        errors: ErrorOutput,
        environ: Mapping[bytes, bytes],
        freshness: Freshness,
    ) -> None:
        self._name = name
        self._idle = settings.cgi_worker_idle
        self._most = settings.cgi_worker_requests
        self._answer = answer
        self._errors = errors
        self._environ = environ
        self._freshness = freshness
        self._leaving = False
        self._threads: set[threading.Thread] = set()
        self._counting = threading.Lock()
        self._active = 0
        self._wake, self._waker = socket.socketpair()

    def run(self) -> None:
        """Listen and answer until there is a reason to end; return when the last answer is finished."""
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._leave)
        # Processes that may connect may also read the process id.
        os.truncate(LOCK, 0)
        os.pwrite(LOCK, b"%d\n" % os.getpid(), 0)
        with self._listen() as listener:
            for connection in self._accept(listener):
                self._admit(connection)
            self._close_door(listener)
        # The interpreter would wait for them too, but only after it has begun to shut down what they need.
        for thread in self._threads:
            thread.join()

    def _listen(self) -> socket.socket:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self._name}.socket", dir_fd=FOLDER)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        listener.bind(address_socket(FOLDER, self._name))
        os.umask(before)
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        return listener

    def _accept(self, listener: socket.socket) -> Iterator[socket.socket]:
        """Yield connections as they arrive, while there is room for one more, until it is time to end."""
        idle_since = time.monotonic()
        while not self._leaving:
            active = self._active
            events = select.poll()
            events.register(self._wake, select.POLLIN)
            if active < self._most:
                # Others wait in the backlog, until they lose patience and answer themselves.
                events.register(listener, select.POLLIN)
            left = idle_since + self._idle - time.monotonic()
            ready = {number for number, _ in events.poll(max(left, 0) * 1000 if active == 0 else None)}
            if self._wake.fileno() in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4096)
                idle_since = time.monotonic()
                if self._active == 0 and read_memory() > LARGEST_MEMORY:
                    release_memory()
                    self._leaving = read_memory() > LARGEST_MEMORY
            if listener.fileno() in ready:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    yield listener.accept()[0]
                idle_since = time.monotonic()
            elif not ready and active == 0:
                self._leaving = True

    def _admit(self, connection: socket.socket) -> None:
        fresh = self._freshness.holds()
        self._leaving = self._leaving or not fresh
        if not fresh or not is_own(connection):
            connection.close()
            return
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        thread = threading.Thread(target=self._serve, args=(connection,))
        with self._counting:
            self._active += 1
        self._threads.add(thread)
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_GREETING_TIME)
                receiver = Receiver(connection)
                environ = read_request(receiver)
                if pick_environ(environ) == self._environ:
                    connection.sendall(write_frame(ACCEPTED))
                    connection.settimeout(None)
                    self._serve_request(connection, receiver, environ)
        finally:
            with self._counting:
                self._active -= 1
            with contextlib.suppress(BlockingIOError):
                self._waker.send(b"\0")

    def _serve_request(self, connection: socket.socket, receiver: Receiver, environ: Mapping[bytes, bytes]) -> None:
        variables = {os.fsdecode(name): os.fsdecode(value) for name, value in environ.items()}
        stdin = io.BufferedReader(BodyInput(connection, receiver))
        stdout = io.BufferedWriter(AnswerOutput(connection), 64 * 1024)
        self._errors.begin()
        code = 1
        try:
            code = self._answer(variables, stdin, stdout)
        except Exception:
            logging.getLogger("mapsos").exception("the request failed")
        finally:
            connection.sendall(self._errors.end() + write_frame(EXIT, bytes([code])))

    def _leave(self, number: int, frame: object) -> None:
        self._leaving = True
        signal.signal(number, signal.SIG_DFL)

    def _close_door(self, listener: socket.socket) -> None:
        """Release the name, so that another worker can take it while the last answers are finished here."""
        if holds_name(LOCK, FOLDER, self._name):
            for kind in ("socket", "lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self._name}.{kind}", dir_fd=FOLDER)
        # Processes in the backlog notice the end, and answer themselves.
        listener.close()
        os.close(LOCK)


def read_memory() -> int:
    """Return the bytes of memory that this process occupies."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def release_memory() -> None:
    """Release the unused memory of Arrow's pool."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


def _watch_log_file() -> bool:
    """Make the log follow its file when that is rotated. Return whether it has a file."""
    log = logging.getLogger("mapsos")
    files = [handler for handler in log.handlers if isinstance(handler, logging.FileHandler)]
    for handler in files:
        watched = WatchedFileHandler(handler.baseFilename, encoding="utf-8", errors="backslashreplace")
        watched.setFormatter(handler.formatter)
        log.addHandler(watched)
        log.removeHandler(handler)
        handler.close()
    return bool(files)
