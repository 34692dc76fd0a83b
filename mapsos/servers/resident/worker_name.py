"""Which worker a CGI process belongs to, and the private folder where its socket and lock are.

What a CGI process does before it hands its request over is on the clock of every request: this module, `wire` and
`client` import nothing but what the interpreter has built in.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder of the package."""

_NAMES = frozenset(
    b"ALL_PROXY CURL_CA_BUNDLE HOME LANG LANGUAGE PATH SSL_CERT_DIR SSL_CERT_FILE TEMP TMP TMPDIR TZ TZDIR"
    b" all_proxy ftp_proxy http_proxy https_proxy no_proxy".split()
)
_PREFIXES = tuple(
    # Options of the server, GDAL and its drivers, PROJ, libpq and other databases' clients, storage of the cloud,
    # the interpreter and its libraries. COVERAGE_ measures tests.
    (
        b"MS_ MAPSOS_ MAPSERVER_ GDAL CPL_ OGR OSR_ VSI PROJ PG AWS_ AZURE_ GS_ GOOGLE_ OSS_ SWIFT_ CURL_ SHAPE_ DBF_"
        b" CSV_ GML_ GPKG_ SQLITE_ SPATIALITE_ GEOJSON_ FLATGEOBUF_ MYSQL_ MSSQLSPATIAL_ ODBC ORA TNS_ NLS_ ARROW_"
        b" LC_ LD_ MALLOC_ PYTHON XDG_ COVERAGE_"
    ).split()
)


def pick_environ(environ: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Give the variables that a worker has: those that steer the program or its libraries, none of a request."""
    return {name: value for name, value in environ.items() if name in _NAMES or name.startswith(_PREFIXES)}


def name_worker(environ: Mapping[bytes, bytes]) -> str:
    """Name the worker that answers for this process under this environment.

    Processes share a worker only if everything is the same that could make them answer differently: user and groups,
    interpreter, package, working directory and `pick_environ`.
    """
    try:
        # What hashlib would give, without the milliseconds of importing it.
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    parts = [
        os.fsencode(f"{os.getresuid()} {os.getresgid()} {sorted(os.getgroups())} {sys.version} {sys.flags.isolated}"),
        # An interpreter has several names in the folder of its environment.
        os.fsencode(os.path.dirname(sys.executable)),
        os.fsencode(PACKAGE),
        os.getcwdb(),
        *(name + b"=" + value for name, value in sorted(pick_environ(environ).items())),
    ]
    name: str = blake2b(b"\0".join(parts), digest_size=12).hexdigest()
    return name


def open_folder(environ: Mapping[bytes, bytes]) -> int:
    """Open the folder of sockets and locks: a file descriptor, so that nobody can put another in its place.

    It is ``mapsos`` in XDG_RUNTIME_DIR, or ``/tmp/mapsos-UID`` where that is not set.

    Raises
    ------
    OSError
        It is not there; or it is not this user's alone: another's, a symbolic link, or open to
        group or others.
    """
    path = locate_folder(environ)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        os.close(folder)
        raise PermissionError(f"{os.fsdecode(path)} must belong to user {os.geteuid()} and have mode 0700")
    return folder


def locate_folder(environ: Mapping[bytes, bytes]) -> bytes:
    """Give the path of the folder, whether it is there or not."""
    runtime = environ.get(b"XDG_RUNTIME_DIR", b"")
    return runtime + b"/mapsos" if runtime.startswith(b"/") else b"/tmp/mapsos-%d" % os.geteuid()


def address_socket(folder: int, name: str) -> str:
    """Give the address of a worker's socket in an open folder; short enough wherever the folder is."""
    return f"/proc/self/fd/{folder}/{name}.socket"
