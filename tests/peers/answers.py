"""One request as both servers get it, and an answer as both give it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

MAPSERV = os.environ.get("MAPSERV") or shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
"""The oracle: the variable MAPSERV names another one than the installed."""

CGI = {
    "SERVER_NAME": "peers.test",
    "SERVER_PORT": "80",
    "SCRIPT_NAME": "/cgi-bin/sos",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "GATEWAY_INTERFACE": "CGI/1.1",
}
"""What a web server tells every CGI program; a case adds to it, or removes a variable by giving it None."""


@dataclass(frozen=True)
class Call:
    """A CGI call: the environment (whole, nothing is inherited), the body, and command line arguments."""

    environ: dict[str, str]
    body: bytes = b""
    arguments: tuple[str, ...] = ()
    folder: Path = Path("/")

    def by_hand(self, program: str) -> str:
        """The shell line that repeats the call."""
        pairs = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(self.environ.items()))
        body = f"printf %s {shlex.quote(self.body.decode('utf-8', 'backslashreplace'))} | " if self.body else ""
        arguments = "".join(f" {shlex.quote(argument)}" for argument in self.arguments)
        return f"cd {self.folder}; {body}env -i {pairs} {program}{arguments}"


@dataclass
class Answer:
    """Headers (names in lower case), body, and what the process said besides."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    exit_code: int = 0
    complaint: str = ""
    status: int | None = None

    @property
    def kind(self) -> str:
        """The media type without parameters, empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def run_program(program: str | Path, call: Call) -> Answer:
    """Run a CGI program once; a reply that does not begin with headers is all body."""
    done = subprocess.run(
        [str(program), *call.arguments],
        input=call.body,
        env={"PATH": os.defpath, **call.environ},
        cwd=call.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return read_reply(done.stdout, done.returncode, done.stderr.decode("utf-8", "replace"))


def read_reply(output: bytes, exit_code: int = 0, complaint: str = "") -> Answer:
    """Part the header lines of a CGI reply (ended by CR LF or LF) from its body."""
    headers: dict[str, str] = {}
    rest = output
    while rest:
        line, _, remainder = rest.partition(b"\n")
        line = line.rstrip(b"\r")
        if not line and headers:
            return Answer(headers, remainder, exit_code, complaint, read_status(headers))
        name, colon, value = line.partition(b":")
        if not colon or not name.replace(b"-", b"").isalnum() or line.startswith(b"<"):
            break
        headers[name.decode("ascii").lower()] = value.decode("utf-8", "replace").strip()
        rest = remainder
    return Answer({}, output, exit_code, complaint)


def read_status(headers: dict[str, str]) -> int | None:
    """The number in a Status header, taken out of the headers."""
    status = headers.pop("status", None)
    return int(status.split()[0]) if status else None
