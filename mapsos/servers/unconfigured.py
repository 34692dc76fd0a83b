"""The answer of a server without usable settings."""

from __future__ import annotations

import logging

from mapsos.ows.error_page import PageError, write_page
from mapsos.web.messages import Response


def refuse_all(error: Exception) -> Response:
    """Answer any request with MapServer's error page; the fault of the settings is only logged."""
    logging.getLogger("mapsos").error("%s", error)
    page = PageError("msLoadConfig", "Unable to access file.", "The configuration of this server is not usable.")
    return write_page(page, 500)
