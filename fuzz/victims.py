"""The victims of a fuzzing run: one of each kind for the whole process, gone at its end."""

from __future__ import annotations

import functools
import logging
import tempfile
from pathlib import Path

from fuzz.victim import open_victim, write_victim
from mapsos.app import Application

_folder = tempfile.TemporaryDirectory(prefix="mapsos-fuzz-")
_ALIASES = """"sos_value_alias" "amount"
      "sos_text_alias" "remark"
      'sos_te"xt_alias' "remark"
"""


@functools.cache
def mapfile() -> Path:
    """The map."""
    return write_victim(Path(_folder.name))


@functools.cache
def application() -> Application:
    """The application over it, silent."""
    logging.getLogger("mapsos").setLevel(logging.CRITICAL)
    return open_victim(mapfile(), MS_MAP_PATTERN=r"^/.*\.map$")


@functools.cache
def observing_mapfile() -> Path:
    """The map with names for its values: only those are observations of the REST interface."""
    folder = Path(_folder.name, "observing")
    folder.mkdir()
    return write_victim(folder, metadata=_ALIASES)


@functools.cache
def observing_application() -> Application:
    """The application over that, silent."""
    logging.getLogger("mapsos").setLevel(logging.CRITICAL)
    return open_victim(observing_mapfile())
