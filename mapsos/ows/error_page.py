"""MapServer's error page, the answer to failures outside the SOS module (docs/mapserver-sos.md, "HTML error page")."""

from __future__ import annotations

from html import escape

from mapsos.terms.failures import ReportedError
from mapsos.web.messages import Response


class PageError(ReportedError):
    """A failure that is answered by the page: ``routine(): category message``; ``detail`` is for the log only."""

    def __init__(self, routine: str, category: str, message: str, *, status: int = 400, detail: str = "") -> None:
        super().__init__(message)
        self.prefix = f"{routine}(): {category}"
        self.message = message
        self.status = status
        self.detail = detail

    @property
    def log_line(self) -> str:
        """What the log says of the failure."""
        return f"{self.prefix} {self.message} {self.detail}".rstrip()


def write_page(error: PageError, status: int = 200) -> Response:
    """The page as a response. Like MapServer since 8.2 it does not tell the version."""
    message = escape(error.message, quote=False).replace('"', "&quot;").replace("'", "&#39;")
    text = (
        "<HTML>\n<HEAD><TITLE>MapServer Message</TITLE></HEAD>\n"
        f'<BODY BGCOLOR="#FFFFFF">\n{error.prefix} {message}\n</BODY></HTML>'
    )
    return Response(
        status=status,
        headers=(("Content-Type", "text/html"),),
        body=(text.encode("utf-8", "replace"),),
        error=True,
    )
