"""MapServer's error page, for failures outside the SOS module (docs/mapserver-sos.md, "HTML error page")."""

from __future__ import annotations

from mapsos.ows.exceptions import cut_message
from mapsos.terms.failures import ReportedError
from mapsos.web.messages import Response

# Not by html, which every start of a CGI process would import.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


class PageError(ReportedError):
    """A failure reported on the page as ``routine(): category message``. ``detail`` is for the log only."""

    def __init__(self, routine: str, category: str, message: str, *, status: int = 400, detail: str = "") -> None:
        super().__init__(message)
        self.prefix = f"{routine}(): {category}"
        self.message = cut_message(message)
        self.status = status
        self.detail = detail

    @property
    def is_for_admin(self) -> bool:
        """Whether the map must be fixed."""
        return self.status == 500

    @property
    def log_line(self) -> str:
        """Return the failure as a line of the log."""
        return f"{self.prefix} {self.message} {self.detail}".rstrip()


def write_page(error: PageError, status: int = 200) -> Response:
    """Return the page as a response. Like MapServer since 8.2 it does not state the version."""
    message = error.message.translate(_ENTITIES)
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
