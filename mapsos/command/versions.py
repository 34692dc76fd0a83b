"""The version line of this installation, as ``mapserv -v`` prints it (docs/mapserver-sos.md, "Version line")."""

from __future__ import annotations

from importlib.util import find_spec

from mapsos import __version__
from mapsos.columns.loops import find_text_loops

_INPUTS = {"POSTGIS": "PostgreSQL", "SHAPEFILE": "ESRI Shapefile"}
"""Tokens of inputs that need a driver, by the driver's name; OGR alone is GDAL itself."""


def write_version() -> str:
    """Return version and tokens, without a line break. The tokens are checked on this machine, which loads GDAL."""
    tokens = ["OUTPUT=XML"]
    if find_spec("pyproj"):
        tokens.append("SUPPORTS=PROJ")
    if find_spec("shapely"):
        tokens.append("SUPPORTS=GEOS")
    if find_spec("pyarrow") and find_spec("lxml"):
        tokens.append("SUPPORTS=SOS_SERVER")
    if find_text_loops() is not None:
        tokens.append("SUPPORTS=TEXT_LOOPS")
    try:
        from osgeo import ogr
    except ImportError:
        pass
    else:
        tokens.append("INPUT=OGR")
        tokens += [f"INPUT={name}" for name, driver in _INPUTS.items() if ogr.GetDriverByName(driver) is not None]
    return " ".join([f"mapsos version {__version__}", *tokens])
