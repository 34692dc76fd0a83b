"""Run ASGI applications in tests: one request at a time, with any behaviour of server and client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

Event = MutableMapping[str, Any]
Send = Callable[[Event], Awaitable[None]]
AsgiApplication = Callable[[Event, Callable[[], Awaitable[Event]], Send], Awaitable[None]]


def make_scope(path: str = "/", query: str = "", method: str = "GET", **headers: str) -> dict[str, Any]:
    """A scope of a request; names of headers have underscores for hyphens."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.replace("_", "-").lower().encode(), text.encode()) for name, text in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50000),
    }


class AsgiClient:
    """One request and what came back. ``take`` is awaited for each event of the answer."""

    def __init__(self, body: bytes = b"", take: Callable[[Event], Awaitable[None]] | None = None) -> None:
        self._body: bytes | None = body
        self._take = take
        self.gone = asyncio.Event()
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.is_complete = False

    async def receive(self) -> Event:
        """The body at once, then nothing until the client has gone."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        """Take a part of the answer."""
        if self._take is not None:
            await self._take(event)
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = [(name.decode(), text.decode("latin-1")) for name, text in event["headers"]]
        else:
            self.body += event.get("body", b"")
            self.is_complete = not event.get("more_body", False)


def as_wsgi(application: AsgiApplication) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Return a WSGI application that asks an ASGI application, so that one set of tests holds both."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        scope = make_scope(method=environ["REQUEST_METHOD"])
        script, path = (environ.get(name, "").encode("latin-1") for name in ("SCRIPT_NAME", "PATH_INFO"))
        headers = [
            (name.removeprefix("HTTP_").replace("_", "-").lower().encode(), text.encode("latin-1"))
            for name, text in environ.items()
            if text != "" and (name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"))
        ]
        scope |= {
            "scheme": environ["wsgi.url_scheme"],
            "path": (script + path).decode("utf-8", "replace"),
            "raw_path": quote(script + path).encode(),
            "root_path": script.decode(),
            "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
            "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
            "headers": headers,
        }
        client = AsgiClient(environ["wsgi.input"].read(1 << 24))
        asyncio.run(application(scope, client.receive, client.send))  # type: ignore[arg-type]
        assert client.is_complete
        names = {name: "-".join(word.capitalize() for word in name.split("-")) for name, _ in client.headers}
        spelled = [("ETag" if name == "etag" else names[name], text) for name, text in client.headers]
        start_response(f"{client.status} {HTTPStatus(client.status).phrase}", spelled)
        return Body(client.body)

    return answer


class Body(list[bytes]):
    """A body as validators want it."""

    def __init__(self, content: bytes) -> None:
        super().__init__([content])

    def close(self) -> None:
        """Nothing is held."""
