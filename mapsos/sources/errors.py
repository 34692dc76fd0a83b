"""What can go wrong with a data source: a message that a client may read, and the cause for the log."""

from __future__ import annotations


class SourceError(Exception):
    """The data of a layer cannot be read.

    ``message`` names the layer and the kind of fault only; ``detail`` is the driver's own text with passwords
    masked, for the log and for the admin's ``mapsos check``.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
