"""Errors of data sources: a message that a client may read, and the cause for the log."""

from __future__ import annotations

import re

from mapsos.terms.layer_source import LayerSource


class SourceError(Exception):
    """The data of a layer cannot be read.

    ``message`` names the layer and the kind of fault only; ``detail`` is the driver's message with passwords masked,
    for the log and for ``mapsos check``.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


_PASSWORD = re.compile(r"(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s,]+)|(?<=://)([^:@/\s]*):([^@/\s]*)(?=@)")


def mask_passwords(text: str) -> str:
    """Replace the passwords of connection strings and URLs in a text by asterisks."""
    return _PASSWORD.sub(lambda match: f"{match[1]}***" if match[1] else f"{match[3]}:***", text)


def unreadable(source: LayerSource, detail: str) -> SourceError:
    """Return the error for a layer whose data cannot be read; ``detail`` is for the log."""
    return SourceError(f"data source of layer {source.layer} cannot be read", mask_passwords(detail))
