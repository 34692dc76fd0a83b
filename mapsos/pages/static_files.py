"""Style sheets, scripts and images of the pages: our own, and those of installed libraries."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from mapsos.terms.values import dataclass

_TYPES = {
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_LEAFLET = ("leaflet.js", "leaflet.css", *(f"images/{name}.png" for name in ("layers", "layers-2x", "marker-icon")))
_UPLOT = ("uPlot.iife.js", "uPlot.min.css")


@dataclass(frozen=True)
class StaticFile:
    """A file to send. ``digest`` changes with its content."""

    content_type: str
    content: bytes
    digest: str


@lru_cache
def read_static(name: str) -> StaticFile | None:
    """Return a file such as ``pages.css`` or ``leaflet/leaflet.js``; None for an unknown name.

    Each file is read once per process: half a megabyte altogether.
    """
    path = _list_files().get(name)
    if path is None:
        return None
    content = path.read_bytes()
    return StaticFile(_TYPES[path.suffix], content, hashlib.blake2b(content, digest_size=8).hexdigest())


@lru_cache
def _list_files() -> dict[str, Path]:
    own = Path(__file__).parent / "static"
    leaflet = _find_package("xstatic") / "pkg" / "leaflet" / "data"
    uplot = _find_package("uplot") / "static"
    return {
        **{path.name: path for path in own.iterdir() if path.suffix in _TYPES},
        **{f"leaflet/{name}": leaflet / name for name in _LEAFLET},
        **{f"uplot/{name}": uplot / name for name in _UPLOT},
    }


def _find_package(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
