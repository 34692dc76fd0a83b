"""Request ids, which link a response to its lines in the log: sent by a proxy or generated here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar

_WELL_FORMED = re.compile(r"[A-Za-z0-9._:=@+/-]{1,128}")

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
"""The id of the request that this thread answers, empty between requests. Used in lines of the log."""


def choose_request_id(environ: Mapping[str, str]) -> str:
    """Return the X-Request-Id of CGI variables that are corrected for trusted proxies if it is valid, else a new id.

    Valid are 1 to 128 ASCII letters, digits and ``._:=@+/-``. A new id has 16 random hexadecimal digits.
    """
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _WELL_FORMED.fullmatch(given) else os.urandom(8).hex()
