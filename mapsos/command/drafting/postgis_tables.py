"""Write how a mapfile names a table of a PostgreSQL database."""

from __future__ import annotations

import re

from mapsos.command.drafting.data_sets import DataSet, connect

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def write_postgis_data(data: DataSet) -> str | None:
    """Return the DATA of a LAYER of CONNECTIONTYPE POSTGIS, None for a table without a geometry column."""
    from osgeo import ogr

    opened = ogr.Open(connect(data.source))
    layer = opened.GetLayerByName(data.layer) if opened is not None else None
    if layer is None or not layer.GetGeometryColumn():
        return None
    schema, dot, table = data.layer.rpartition(".")
    origin = f"{_quote(schema)}{dot}{_quote(table)}" if dot else _quote(table)
    unique = layer.GetFIDColumn()
    srs = layer.GetSpatialRef()
    code = srs.GetAuthorityCode(None) if srs is not None else None
    parts = [f"{_quote(layer.GetGeometryColumn())} FROM {origin}"]
    if unique and _PLAIN.fullmatch(unique):
        parts.append(f"USING UNIQUE {unique}")
    if code is not None:
        parts.append(f"USING SRID={code}")
    return " ".join(parts)


def _quote(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
