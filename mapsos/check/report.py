"""Print the findings of ``mapsos check`` for the admin's terminal or a program."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from mapsos.check.data import find_in_data
from mapsos.check.failures import explain_failure
from mapsos.check.finding import Finding
from mapsos.check.formats import Format, write_annotation, write_json, write_line, write_sarif, write_summary
from mapsos.check.keys import find_in_keys
from mapsos.check.mapfile_schema import MAPSERVER, find_by_schema
from mapsos.check.mapfile_text import find_in_mapfile
from mapsos.check.values import find_in_values
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.reader import parse_map
from mapsos.terms.times import current_time

_ORDER = {"error": 0, "warning": 1, "info": 2}
_PATIENCE = 1.0
"""Seconds after which a progress bar appears."""


def run(
    paths: Sequence[str],
    *,
    strict: bool = False,
    quiet: bool = False,
    form: Format = "text",
    mapserver: float = MAPSERVER,
    out: TextIO | None = None,
    log: TextIO | None = None,
) -> int:
    """Print the findings about mapfiles and return the exit code: 2 for errors, 1 for warnings if ``strict``, else 0.

    Reads the data of every layer.

    Parameters
    ----------
    paths
        The mapfiles.
    strict
        Whether warnings count.
    quiet
        Whether ``log`` gets nothing.
    form
        How findings are written: one line each, or documents with all findings.
    mapserver
        The version that keywords are held against.
    out
        Where findings go, standard output by default.
    log
        Where the number of findings of each mapfile goes, and on a terminal the progress; standard error by default.
    """
    out, log = out if out is not None else sys.stdout, log if log is not None else sys.stderr
    found: list[Finding] = []
    try:
        for path in paths:
            progress = Progress(log if not quiet and _is_terminal(log) else None)
            with progress.shown():
                findings = check_mapfile(path, mapserver, progress)
            found += findings
            if form in ("text", "github"):
                colour = _has_colours(out)
                for finding in findings:
                    line = write_line(finding, colour=colour) if form == "text" else write_annotation(finding)
                    _write(out, line)
            out.flush()
            if not quiet:
                _write(log, write_summary(path, findings))
        if form in ("json", "sarif"):
            _write(out, write_json(found) if form == "json" else write_sarif(found))
            out.flush()
    except BrokenPipeError:
        # The reader has seen enough: `mapsos check MAP | head -1`.
        _discard(out)
    levels = {finding.level for finding in found}
    return 2 if "error" in levels else 1 if strict and "warning" in levels else 0


class Progress:
    """How far the reading of data is, drawn on a terminal once it takes longer than a second; None: nowhere."""

    def __init__(self, terminal: TextIO | None) -> None:
        self._terminal = terminal
        self._state = ("", 0.0)
        self._ended = threading.Event()

    def __call__(self, what: str, share: float) -> None:
        """Note what is read next, and the share of the work that is done, from 0 to 1."""
        self._state = (what, share)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the progress while the block runs, and remove it at its end."""
        if self._terminal is None:
            yield
            return
        drawing = threading.Thread(target=self._draw, args=(self._terminal,), daemon=True)
        drawing.start()
        try:
            yield
        finally:
            self._ended.set()
            drawing.join()

    def _draw(self, terminal: TextIO) -> None:
        began = time.monotonic()
        if self._ended.wait(_PATIENCE):
            return
        while True:
            what, share = self._state
            done = round(20 * share)
            shown = f"[{'#' * done}{'.' * (20 - done)}] {share:4.0%} {time.monotonic() - began:3.0f} s {what}"
            width = _measure_width(terminal)
            _write(terminal, "\r" + shown[: width - 1] + "\x1b[K", end="")
            terminal.flush()
            if self._ended.wait(0.2):
                break
        terminal.write("\r\x1b[K")
        terminal.flush()


def check_mapfile(path: str, mapserver: float = MAPSERVER, progress: Progress | None = None) -> list[Finding]:
    """Return all findings about one mapfile, of its text and of the data it names, in order of file and line.

    The mapfile is read once. One that cannot be read is one finding.
    """
    try:
        parsed = parse_map(path)
    except MapfileError as error:
        return [explain_failure(error)]
    found = dict.fromkeys(
        [
            *find_in_mapfile(parsed),
            *find_in_keys(parsed.service, os.environ),
            *find_in_data(parsed, current_time(), progress or Progress(None)),
            *find_in_values(parsed),
        ]
    )
    # A fault that the findings above already report in terms of SOS is not repeated in terms of the schema.
    reported = {(finding.file, finding.line, finding.key) for finding in found}
    for finding in find_by_schema(parsed.tokens, mapserver):
        if (finding.file, finding.line, finding.key) not in reported:
            found[finding] = None
    return sorted(found, key=lambda finding: (finding.file, finding.line, _ORDER[finding.level], finding.code))


def _write(stream: TextIO, text: str, end: str = "\n") -> None:
    """Write a text as far as the stream can: not every terminal can show all bytes of a mapfile."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + end)


def _discard(stream: TextIO) -> None:
    """Let everything that is still in the buffer of a closed pipe go nowhere."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _has_colours(stream: TextIO) -> bool:
    return _is_terminal(stream) and not os.environ.get("NO_COLOR")


def _measure_width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
