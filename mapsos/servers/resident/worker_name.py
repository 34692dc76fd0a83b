"""Name the worker of a CGI process.

The time until a CGI process hands its request over is added to every request: this module,
`mapsos.files.private_folder`, `wire` and `client` import only modules that are built into the interpreter.
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
    """Return the variables that a worker gets: those that control the program or its libraries, none of a request."""
    return {name: value for name, value in environ.items() if name in _NAMES or name.startswith(_PREFIXES)}


def name_worker(environ: Mapping[bytes, bytes]) -> str:
    """Return the name of the worker of this process under this environment.

    Processes share a worker only if nothing differs that could change their answers: user and groups, interpreter,
    package, working directory and `pick_environ`.
    """
    try:
        # The same as in hashlib, without the milliseconds of importing it.
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


def address_socket(folder: int, name: str) -> str:
    """Return the address of a worker's socket in an open folder; short enough wherever the folder is."""
    return f"/proc/self/fd/{folder}/{name}.socket"
