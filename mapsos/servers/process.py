"""Apply settings to the process that answers requests, its environment and its log; log what breaks an answer off."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from mapsos.config.settings import Settings
from mapsos.sources.errors import SourceError
from mapsos.terms.deadlines import ClientGoneError, DeadlineError
from mapsos.web.log_formats import make_formatter


def prepare_process(settings: Settings, stdout: TextIO | None = None, default_level: str | None = None) -> None:
    """Set up environment and log before the first request. GDAL, PROJ and libpq must not have been used yet.

    Parameters
    ----------
    settings
        ``other`` becomes environment variables. ``error_file`` is where the log goes, standard error without one or
        if it cannot be written; ``log_level`` is what is logged, everything from ``debug_level`` 1, and ``log_format``
        how lines look.
    stdout
        Where ``error_file`` "stdout" writes; standard error if None, as for CGI, whose output is the response.
    default_level
        What is logged where the settings state no level. None stands for everything from info into a file, and for
        warnings and errors into standard error: web servers take that as their error log, and have an access log.
    """
    os.environ.update(settings.other)
    log = logging.getLogger("mapsos")
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()
    handler, failure = _open_log(settings.error_file, stdout)
    handler.setFormatter(make_formatter(settings.log_format))
    log.addHandler(handler)
    level = settings.log_level or default_level or ("info" if isinstance(handler, logging.FileHandler) else "warning")
    log.setLevel(logging.DEBUG if settings.debug_level else level.upper())
    if failure is not None:
        log.error("MS_ERRORFILE: %s", failure)


def log_break(error: Exception) -> None:
    """Log why an answer broke off: in one line if the data changed or time ran out, else with a traceback."""
    log = logging.getLogger("mapsos")
    if isinstance(error, SourceError):
        log.error("the response broke off: %s", f"{error} {error.detail}".rstrip())
    elif isinstance(error, ClientGoneError):
        log.debug("the response broke off: %s", error)
    elif isinstance(error, DeadlineError):
        log.error("the response broke off: %s", error)
    else:
        log.error("the response broke off", exc_info=error)


class _StreamHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream until its reader has gone: then a server continues without a log."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Report a failure of logging, unless the stream is a closed pipe."""
        if not isinstance(sys.exc_info()[1], BrokenPipeError):
            super().handleError(record)


def _open_log(error_file: str | None, stdout: TextIO | None) -> tuple[logging.Handler, OSError | None]:
    if error_file == "stdout":
        return _StreamHandler(stdout or sys.stderr), None
    if error_file is not None and error_file != "stderr":
        try:
            return logging.FileHandler(error_file, encoding="utf-8", errors="backslashreplace"), None
        except OSError as error:
            return _StreamHandler(sys.stderr), error
    return _StreamHandler(sys.stderr), None
