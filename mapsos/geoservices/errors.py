"""Errors of the REST interface: raised while a request is read or answered, rendered in one place."""

from __future__ import annotations


class RestError(Exception):
    """A failure that the client is told about as ``{"error": {"code", "message", "details"}}``.

    Parameters
    ----------
    message
        One sentence for the client: no path, no connection string, no text of a driver.
    details
        Further sentences, such as what is allowed instead.
    code
        The HTTP status, which is also the code in the document.
    detail
        For the log only.
    """

    def __init__(self, message: str, *details: str, code: int = 400, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.code = code
        self.detail = detail
