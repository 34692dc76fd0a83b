"""Failures that are reported to a client in the form of the protocol."""

from __future__ import annotations

import re

from mapsos.terms.values import dataclass

MOST_CHARACTERS = 500
"""The most characters of a text of a client's in a response or in a line of the log."""
MOST_OF_LINE = 4000
"""The most characters of a line of the log."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def shorten(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text that contains what a client sent, as it may be shown: cut, and with lone surrogates as U+FFFD.

    A text that was cut ends with three dots.
    """
    if len(text) > most:
        text = f"{text[: most - 3]}..."
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


class ReportedError(Exception):
    """An error with a message for the client: the base class of each room's errors.

    ``detail`` is for the log only: it may contain paths and causes that clients must not see.
    """

    detail: str = ""

    @property
    def log_line(self) -> str:
        """The line for the log; the error is not a fault of the server. `shorten` bounds it."""
        return f"{self} {self.detail}".rstrip()

    @property
    def is_for_admin(self) -> bool:
        """Whether the admin must fix something: a map, the data or the access to them. Otherwise the client must."""
        return False


@dataclass(frozen=True)
class Failure:
    """Why a request was not answered.

    Attributes
    ----------
    error
        A `ReportedError`, a `mapsos.terms.deadlines.DeadlineError`, or an unexpected exception.
    reference
        Id of an unexpected error in the log, for the client to quote. Empty for the other two.
    """

    error: Exception
    reference: str = ""


_CHALLENGES = tuple(("WWW-Authenticate", f'{scheme} realm="mapsos"') for scheme in ("Bearer", "Basic"))
"""The challenges (RFC 9110, clause 11.6.1); browsers ask for a password because of Basic.

A header each: of several in one header Chromium reads the first scheme alone.
"""


class AccessError(ReportedError):
    """A request that is rejected because of its key, or because keys cannot be checked (docs/keys.md, "Answers").

    Parameters
    ----------
    message
        For the client.
    status
        The HTTP status, whatever MAPSOS_HTTP_STATUS states: 400, 401, 403, 429 or 503.
    retry_after
        Seconds after which the request may succeed, None where time does not help.
    detail
        For the log only.
    """

    def __init__(self, message: str, status: int, *, retry_after: int | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.detail = detail

    @property
    def is_for_admin(self) -> bool:
        """Whether the store of keys is missing or faulty."""
        return self.status == 503

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers that its status requires."""
        challenge = _CHALLENGES if self.status == 401 else ()
        wait = () if self.retry_after is None else (("Retry-After", str(self.retry_after)),)
        return (*challenge, *wait, ("Cache-Control", "no-store"))


def require_key() -> AccessError:
    """Return the rejection of a request without the key that it needs."""
    return AccessError("api-key is needed", 401)


def miss_store() -> AccessError:
    """Return the rejection where a key is needed and the server has no keys."""
    return AccessError(
        "api-key is needed, and this server cannot check keys", 503, detail="the map needs keys; MAPSOS_KEYS is not set"
    )
