"""Read what ``mapsos get`` is asked: a query, a path, a whole URL, and the body of a POST request."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from mapsos.rest.paths import parse_rest_path
from mapsos.terms.values import dataclass

_URL = re.compile(r"https?://", re.I)
_FORM = "application/x-www-form-urlencoded"


class RequestError(Exception):
    """A request of the command line cannot be made; the message is for its user."""


@dataclass(frozen=True)
class ShellRequest:
    """A request: the path below the service, the query, and the body with its type, None for a GET request."""

    path: str = ""
    query: str = ""
    body: bytes | None = None
    content_type: str = ""

    def list_variables(self, name: str) -> Mapping[str, str]:
        """Return the CGI variables of the request to the service with this name."""
        variables = {
            "REQUEST_METHOD": "GET" if self.body is None else "POST",
            "QUERY_STRING": self.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SCRIPT_NAME": f"/{name}",
        }
        if self.path:
            variables["PATH_INFO"] = self.path
        if self.body is not None:
            variables |= {"CONTENT_TYPE": self.content_type, "CONTENT_LENGTH": str(len(self.body))}
        return variables


def read_request(text: str | None, data: str | None, content_type: str | None) -> ShellRequest:
    """Return the request of the command line.

    Parameters
    ----------
    text
        A query, a path with or without a query, or a URL, whose host does not count; None for none.
    data
        The body, ``@FILE`` for that of a file, ``@-`` for standard input; None for a GET request.
    content_type
        Of the body; None for XML if it begins like it, else a form.

    Raises
    ------
    RequestError
        The file cannot be read, or there is neither a request nor a body.
    """
    if text is None and data is None:
        raise RequestError("expected a REQUEST, or --data")
    path, query = _split(text or "")
    if data is None:
        return ShellRequest(path, query)
    body = _read_body(data)
    kind = "text/xml" if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _FORM
    return ShellRequest(path, query, body, content_type or kind)


def _split(text: str) -> tuple[str, str]:
    if not (_URL.match(text) or text.startswith("/")):
        return "", text.removeprefix("?")
    # A path such as //exts has no host.
    parts = urlsplit(text if not text.startswith("/") else "http://localhost/" + text.lstrip("/"))
    # The mapfile is named on the command line; the server of the URL may know it by another name.
    pairs = [pair for pair in parts.query.split("&") if pair.partition("=")[0].lower() != "map"]
    return _find_path(unquote(parts.path)), "&".join(pairs)


def _find_path(path: str) -> str:
    """Return the part of a path that is below a service, whatever the prefix of its server; empty for SOS itself."""
    found = re.search(r"/(?:exts/SosSOE(?:/.*)?|openapi\.json|_mapsos/.*)$", path, re.I | re.S)
    if found is None:
        return path if parse_rest_path(path) is not None else ""
    return found[0]


def _read_body(data: str) -> bytes:
    if not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        with open(data[1:], "rb") as file:
            return file.read()
    except OSError as error:
        raise RequestError(f"cannot read {data[1:]}: {error.strerror}") from error
