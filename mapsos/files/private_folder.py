"""The private runtime folder of a user: sockets, locks and counts that no other user can read or replace.

A CGI process opens it before it passes its request on: this module imports only what is built into the interpreter.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def open_folder(environ: Mapping[bytes, bytes]) -> int:
    """Return a descriptor of the user's private folder, which then cannot be replaced by another.

    It is ``mapsos`` in XDG_RUNTIME_DIR, or ``/tmp/mapsos-UID`` where that is not set.

    Raises
    ------
    OSError
        It is missing, or it is not this user's alone: another user's, a symbolic link, or open to group or others.
    """
    return open_private(locate_folder(environ))


def open_private(path: bytes) -> int:
    """Open a folder that is this user's alone. Raises OSError as `open_folder` does."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        os.close(folder)
        raise PermissionError(f"{os.fsdecode(path)} must belong to user {os.geteuid()} and have mode 0700")
    return folder


def locate_folder(environ: Mapping[bytes, bytes]) -> bytes:
    """Return the path of the private folder, whether it exists or not."""
    runtime = environ.get(b"XDG_RUNTIME_DIR", b"")
    return runtime + b"/mapsos" if runtime.startswith(b"/") else b"/tmp/mapsos-%d" % os.geteuid()
