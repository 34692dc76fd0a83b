"""Report how much of a long answer has arrived, on a terminal.

Neither the length of an answer nor the number of its rows is known before its end, so that a bar, which is the purpose
of libraries for progress, cannot be filled. One line states bytes, rate and time.
"""

from __future__ import annotations

import time
from typing import BinaryIO, TextIO

from mapsos.web.messages import Chunk

PATIENCE = 1.0
"""Seconds before the first report."""
INTERVAL = 0.2
"""Seconds between two reports."""
_UNITS = ("B", "kB", "MB", "GB", "TB")


class ReportedOutput:
    """A binary stream that passes on what is written, and reports it on a terminal.

    Parameters
    ----------
    output
        Where the bytes go.
    terminal
        Where the line is, rewritten until `finish` clears it; None for no report.
    """

    def __init__(self, output: BinaryIO, terminal: TextIO | None) -> None:
        self._output = output
        self._terminal = terminal
        self._started = self._last = time.monotonic()
        self._bytes = 0
        self._width = 0

    def write(self, data: Chunk) -> int:
        """Write the bytes, and report them if it is time."""
        self._output.write(data)
        self._bytes += len(data)
        now = time.monotonic()
        if self._terminal is not None and now - self._started >= PATIENCE and now - self._last >= INTERVAL:
            self._last = now
            self._show(describe(self._bytes, now - self._started))
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._output.flush()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._output.fileno()

    def finish(self) -> None:
        """Clear the line."""
        if self._width:
            self._show("")

    def _show(self, text: str) -> None:
        assert self._terminal is not None
        self._terminal.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
        self._terminal.flush()
        self._width = len(text)


def describe(count: int, seconds: float) -> str:
    """Return bytes, rate and time as a line for people."""
    return f"{_write_size(count)} received, {_write_size(count / seconds)}/s, {seconds:.0f} s"


def _write_size(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
