"""The part of an installation that pip does not bring along: GDAL's Python module, which is the distribution's."""

from __future__ import annotations

import sys

from mapsos.config.config_file import SettingsError
from mapsos.files.extensions import find_extension

REMEDY = (
    "GDAL's Python module (osgeo) is missing for this Python: install the distribution's (apt-get install python3-gdal "
    "python3-fiona), and mapsos into an environment of its Python (/usr/bin/python3 -m venv --system-site-packages "
    "FOLDER)"
)


def require_gdal() -> None:
    """Raise `SettingsError`, which states the remedy, unless ``osgeo`` can be imported. Nothing is imported."""
    if "osgeo" not in sys.modules and find_extension("osgeo", "_gdal") is None:
        raise SettingsError(REMEDY)
