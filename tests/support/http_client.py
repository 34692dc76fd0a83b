"""Requests to a server on the loopback, with any headers and without redirects."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPMessage


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its headers and its body as text."""

    status: int
    headers: HTTPMessage
    text: str


def send(
    port: int, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send one request; a header Host replaces that of the address."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read().decode("utf-8", "replace"))
    finally:
        connection.close()
