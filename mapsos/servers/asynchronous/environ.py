"""The environment of WSGI (PEP 3333) from a connection scope of ASGI: the same variables as under other servers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from mapsos.servers.wsgi_adapter import name_server


def write_environ(scope: Mapping[str, Any], body: IO[bytes]) -> dict[str, Any]:
    """Return the environment of a request whose body has been received."""
    raw_path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"").decode("latin-1")
    server = scope.get("server") or ("", None)
    client = scope.get("client") or ("", None)
    root = scope.get("root_path", "")
    path = unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path.removeprefix(root) if root else path,
        "QUERY_STRING": query,
        "REQUEST_URI": raw_path.decode("latin-1") + (f"?{query}" if query else ""),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        # A Unix socket has no port.
        "SERVER_NAME": server[0] if server[1] is not None else "",
        "SERVER_PORT": str(server[1] if server[1] is not None else ""),
        "REMOTE_ADDR": client[0] if client[1] is not None else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # A proxy's headers cannot be told from a client's that spells them with underscores.
        if b"_" in name:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    name_server(environ, always=True)
    return environ
