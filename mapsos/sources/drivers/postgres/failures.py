"""Failures of a PostgreSQL server that are not faults of the data, recognized by words: GDAL passes no code on."""

from __future__ import annotations

import logging
import re

from mapsos.sources.drivers.postgres.time_limits import STATEMENT_SECONDS
from mapsos.sources.errors import SourceError
from mapsos.terms.deadlines import BusyError, ClientGoneError, DeadlineError, current_deadline

log = logging.getLogger("mapsos")

_FULL = re.compile("too many clients already|remaining connection slots|too many connections for")
_FULL_SECONDS = 10
"""Seconds after which a request may be repeated for which the server has no connection."""


def name_cause(error: SourceError) -> Exception:
    """Return the error, or that of a time-out, of a client that has disconnected, or of a server that is full."""
    deadline = current_deadline()
    if "statement timeout" in error.detail:
        return DeadlineError(deadline.seconds or STATEMENT_SECONDS)
    if deadline.is_client_gone:
        return ClientGoneError()
    if _FULL.search(error.detail):
        log.warning("%s: %s", error.message, error.detail)
        return BusyError(_FULL_SECONDS)
    return error
