"""Requests of which only a part has come."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios

from tests.support.workers import wait_for

from .conftest import Site

FORM = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded"}


def begin_post(site: Site, part: bytes) -> subprocess.Popen[bytes]:
    """Start a request with the first part of its body: comes back when somebody has read that part."""
    process = site.start("", **FORM)
    assert process.stdin is not None
    number = process.stdin.fileno()
    os.write(number, part)
    wait_for(lambda: struct.unpack("i", fcntl.ioctl(number, termios.FIONREAD, bytes(4))) == (0,), "the reading")
    return process
