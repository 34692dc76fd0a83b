"""CGI programs whose name begins with ``nph-``: they write the whole HTTP response (RFC 3875, section 5).

For any other CGI program the web server writes the response, and ends it properly even if the program failed. Here an
answer that breaks off lacks its last chunk, so that every client can detect it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from mapsos.web.entity_tags import write_date
from mapsos.web.messages import Chunk, Response


def find_protocol(environ: Mapping[str, str]) -> str | None:
    """Return the HTTP version of the response (SERVER_PROTOCOL), None if the web server writes the head."""
    name = os.path.basename(environ.get("SCRIPT_FILENAME") or environ.get("SCRIPT_NAME", ""))
    return environ.get("SERVER_PROTOCOL", "HTTP/1.0") if name.startswith("nph-") else None


def write_head(response: Response, protocol: str, now: float | None = None) -> bytes:
    """Write the status line and the header block. Raises ValueError for a line break in a header."""
    chunked = [("Transfer-Encoding", "chunked")] if is_chunked(response, protocol) else []
    version = "HTTP/1.1" if protocol == "HTTP/1.1" else "HTTP/1.0"
    lines = [f"{version} {response.status_line}", f"Date: {write_date(now)}"]
    lines += [f"{name}: {value}" for name, value in (*response.headers, *chunked, ("Connection", "close"))]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header has a line break")
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1", "replace")


def is_chunked(response: Response, protocol: str) -> bool:
    """Return whether the body is sent in chunks: to HTTP/1.1 clients, if the status allows a body."""
    return protocol == "HTTP/1.1" and response.status not in (204, 304)


def write_chunks(body: Iterable[Chunk]) -> Iterator[bytes]:
    """Yield the body in HTTP chunks. The last, empty chunk follows only if the body was complete."""
    for chunk in body:
        if len(chunk):
            yield b"".join((b"%x\r\n" % len(chunk), chunk, b"\r\n"))
    yield b"0\r\n\r\n"
