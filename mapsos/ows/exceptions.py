"""OWS exceptions, raised by readers and operations and written in one place; and errors of decoding."""

from __future__ import annotations

from mapsos.terms.failures import ReportedError, shorten


class OwsException(ReportedError):
    """A failure reported to the client (OWS Common 1.1, clause 8; docs/mapserver-sos.md, "Exceptions").

    Parameters
    ----------
    code, locator
        exceptionCode and locator.
    routine, message
        The text is ``routine(): SOS server error. message``, in MapServer's words; without a routine, the message. The
        message is cut at 2047 bytes of UTF-8.
    category
        Replaces ``SOS server error.``
    more
        Further lines of the text, complete.
    detail
        For the log only.
    status
        The HTTP status, used if the admin has enabled status codes.
    """

    def __init__(
        self,
        code: str,
        locator: str,
        routine: str,
        message: str,
        *,
        category: str = "SOS server error.",
        more: tuple[str, ...] = (),
        detail: str = "",
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.locator = shorten(locator)
        words = cut_message(message)
        self.lines = (f"{routine}(): {category} {words}" if routine else words, *more)
        self.detail = detail
        self.status = status

    @property
    def is_for_admin(self) -> bool:
        """Whether the map or its data must be fixed."""
        return self.status == 500

    @property
    def log_line(self) -> str:
        """Return the exception as a line of the log."""
        return f"{self.text} {self.detail}".rstrip()

    @property
    def text(self) -> str:
        """Return the exception text, its lines joined by a newline."""
        return "\n".join(self.lines)


class DecodingError(ReportedError):
    """A request that cannot be decoded, before its protocol is known; each protocol words it.

    Attributes
    ----------
    code, locator
        exceptionCode and locator, for the protocols of OWS.
    status
        The HTTP status.
    """

    def __init__(self, code: str, locator: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.locator = locator
        self.status = status


def cut_message(message: str) -> str:
    """Return a message as MapServer's buffer holds it."""
    # Each character has a byte at least.
    return message if len(message) < 512 else message[:2047].encode("utf-8", "replace")[:2047].decode("utf-8", "ignore")
