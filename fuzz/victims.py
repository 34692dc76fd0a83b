"""The victim of a fuzzing run: one for the whole process, gone at its end."""

from __future__ import annotations

import functools
import logging
import tempfile
from pathlib import Path

from fuzz.victim import open_victim, write_victim
from mapsos.app import Application

_folder = tempfile.TemporaryDirectory(prefix="mapsos-fuzz-")


@functools.cache
def mapfile() -> Path:
    """The map."""
    return write_victim(Path(_folder.name))


@functools.cache
def application() -> Application:
    """The application over it, silent."""
    logging.getLogger("mapsos").setLevel(logging.CRITICAL)
    return open_victim(mapfile(), MS_MAP_PATTERN=r"^/.*\.map$")
